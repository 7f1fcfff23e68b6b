# Entered by Linux's 64-bit boot protocol: long mode, identity-mapped, RSI = boot_params.
        .section .text.entry, "ax"
        .code64
        .globl  guest_entry
guest_entry:
        cli
        movq    $stack_top, %rsp
        movq    %rsi, %rdi
        call    start_from_linux_protocol
halt:   hlt
        jmp     halt

        .bss
        .balign 16
        .skip   16384
        .globl  stack_top
stack_top:

        .section .note.GNU-stack, "", @progbits
