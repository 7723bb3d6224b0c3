# From the processor's reset to `boot` in kernel.c: long mode, the first 4 GiB as they are, the
# registers of AVX-512 switched on. Nothing ever leaves ring 0, and no interrupt is let in.

#define ROM 0xf0000
#define STACK_END 0x80000

    .section .reset, "ax"
    .code16
    ljmp $(ROM >> 4), $(_start - ROM)

    .text
    .globl _start
_start:
    lgdtl %cs:(descriptors_pointer - ROM)
    mov $0x11, %eax                     # protection
    mov %eax, %cr0
    ljmpl $0x08, $start32

    .code32
start32:
    mov $pages, %eax
    mov %eax, %cr3
    mov $0x50620, %eax                  # PAE, SSE and its exceptions, FSGSBASE, OSXSAVE
    mov %eax, %cr4
    xor %edx, %edx
    mov $0x101, %eax                    # EFER: long mode, `syscall`
    mov $0xc0000080, %ecx
    wrmsr
    mov $0x80000033, %eax               # paging, protection, and x87 as it is today
    mov %eax, %cr0
    ljmp $0x10, $start64

    .code64
start64:
    mov $0xe7, %eax                     # XCR0: x87, SSE, AVX, and the three states of AVX-512
    xor %ecx, %ecx
    xsetbv
    mov $system_call, %eax              # LSTAR
    mov $0xc0000082, %ecx
    wrmsr
    xor %eax, %eax                      # STAR: `syscall` stays in this segment
    mov $0x10, %edx
    dec %ecx
    wrmsr
    mov $STACK_END, %esp
    call boot

# The number and the six arguments of a system call lie in a row for `serve`, which leaves its answer
# in the place of the number.
system_call:
    mov %rsp, caller_stack
    mov $STACK_END, %esp
    push %rcx; push %r11
    push %r9; push %r8; push %r10; push %rdx; push %rsi; push %rdi; push %rax
    mov %rsp, %rdi
    sub $8, %rsp
    call serve
    add $8, %rsp
    pop %rax; pop %rdi; pop %rsi; pop %rdx; pop %r10; pop %r8; pop %r9
    pop %r11; pop %rcx
    mov caller_stack, %rsp
    jmp *%rcx

descriptors:                            # none; code of 32 bits; code of 64 bits
    .quad 0, 0x00cf9a000000ffff, 0x00af9a000000ffff
descriptors_pointer:
    .word . - descriptors - 1
    .long descriptors
    .balign 4096
pages:                                  # present, writable; each GiB is a page
    .quad gibibytes + 3
    .balign 4096, 0
gibibytes:
    .quad 0x83, 0x40000083, 0x80000083, 0xc0000083
    .balign 4096, 0
    .lcomm caller_stack, 8
    .section .note.GNU-stack, "", @progbits
