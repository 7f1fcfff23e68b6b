/* The exec stub's program, embedded. */
    .section .rodata
    .globl twinbox_exec_stub_begin
    .globl twinbox_exec_stub_end
    .balign 16
twinbox_exec_stub_begin:
    .incbin TWINBOX_EXEC_STUB
twinbox_exec_stub_end:
    .section .note.GNU-stack, "", @progbits
