# Entered by PVH: 32-bit protected mode, no paging, EBX = hvm_start_info. Turns long mode on.
        .section .note.xen, "a", @note
        .balign 4
        .long   4, 4, 18                # name size, value size, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .long   guest_entry

        .section .text.entry, "ax"
        .code32
        .globl  guest_entry
guest_entry:
        cli
        cld
        movl    $stack_top, %esp
        # Two levels of tables suffice with one of 1 GiB pages in 2 MiB steps: 4 GiB, one to one.
        movl    $level3 + 3, level4
        movl    $level2 + 3, %eax
        movl    $level3, %edi
        movl    $4, %ecx
1:      movl    %eax, (%edi)
        addl    $4096, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     1b
        movl    $0x83, %eax             # present, writable, 2 MiB
        movl    $level2, %edi
        movl    $2048, %ecx
2:      movl    %eax, (%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        decl    %ecx
        jnz     2b
        movl    $level4, %eax
        movl    %eax, %cr3
        movl    %cr4, %eax
        orl     $0x20, %eax             # CR4.PAE
        movl    %eax, %cr4
        movl    $0xc0000080, %ecx       # EFER.LME
        rdmsr
        orl     $0x100, %eax
        wrmsr
        movl    %cr0, %eax
        orl     $0x80000001, %eax       # CR0.PG and PE
        movl    %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $0x08, $long_mode

        .code64
long_mode:
        movl    %ebx, %edi
        call    start_from_pvh
halt:   hlt
        jmp     halt

        .section .rodata
        .balign 8
gdt:    .quad   0
        .quad   0x00af9b000000ffff      # 64-bit code
        .quad   0x00cf93000000ffff      # data
gdt_pointer:
        .word   . - gdt - 1
        .long   gdt

        .bss
        .balign 4096
level4: .skip   4096
level3: .skip   4096
level2: .skip   4 * 4096
        .balign 16
        .skip   16384
        .globl  stack_top
stack_top:

        .section .note.GNU-stack, "", @progbits
