// As much of Linux as a statically linked program of one thread needs that calculates and writes.
//
// The disk holds a page for the top of the stack, and then the program's memory, as run.py lays them
// out. What is written goes out by the serial port. There are no files, no threads and no signals.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long u64;

enum { SERIAL = 0x3f8, DISK = 0x1f0, EMULATOR = 0x8900, SECTOR = 512, PAGE = 4096 };
enum { MEMORY = 0x100000, MAPS = 0x4000000, STACK = 0x1f000000 };

static u64 maps; // given out so far; nothing is taken back

static void out(u32 port, u8 value) { asm volatile("outb %0, %1" ::"a"(value), "d"(port)); }

static u8 in(u32 port) {
    u8 value;
    asm volatile("inb %1, %0" : "=a"(value) : "d"(port));
    return value;
}

static void read_disk(u32 sector, u64 count, u64 to) {
    for (; count; count--, sector++) {
        u64 words = SECTOR / 2;
        out(DISK + 2, 1);
        out(DISK + 3, sector), out(DISK + 4, sector >> 8), out(DISK + 5, sector >> 16);
        out(DISK + 6, 0xe0), out(DISK + 7, 0x20); // read, by sector numbers
        while ((in(DISK + 7) & 0x88) != 0x08)
            ; // busy, or no data yet
        asm volatile("rep insw" : "+D"(to), "+c"(words) : "d"(DISK) : "memory");
    }
}

static long write(const u8 *text, u64 count) {
    for (u64 i = 0; i < count; i++) {
        while (!(in(SERIAL + 5) & 0x20))
            ; // the last one is still there
        out(SERIAL, text[i]);
    }
    return count;
}

static void end(u8 code) {
    const u8 digits[] = {'0' + code / 100, '0' + code / 10 % 10, '0' + code % 10, '\n'};
    write((const u8 *)"exit ", 5), write(digits, sizeof digits);
    while (!(in(SERIAL + 5) & 0x40))
        ; // on its way
    for (const char *word = "Shutdown"; *word; word++)
        out(EMULATOR, *word); // which ends itself at that
}

static long fill_random(u8 *bytes, u64 count) {
    for (u64 number, i = 0; i < count; i++) {
        asm volatile("1: rdrand %0; jnc 1b" : "=r"(number)::"cc");
        bytes[i] = number;
    }
    return count;
}

static long map(u64 size) {
    u64 at = maps, end = at, count = (size + PAGE - 1) & ~(PAGE - 1ul);
    if (count > STACK - 0x1000000 - maps)
        return -12; // ENOMEM
    asm volatile("rep stosb" : "+D"(end), "+c"(count) : "a"(0) : "memory");
    maps = end;
    return at;
}

static long read_clock(u64 *time) {
    u32 low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    u64 ticks = (u64)high << 32 | low; // one is called a nanosecond
    time[0] = ticks / 1000000000, time[1] = ticks % 1000000000;
    return 0;
}

static long answer(long call, u64 a, u64 b, u64 c) {
    switch (call) {
    case 1: return write((const u8 *)b, c);
    case 9: return map(b);
    case 12: return 0;                            // brk: there is none, ask mmap
    case 60: case 231: case 234: end(a);          // exit, exit_group, and tgkill by abort
    case 158: asm volatile("wrfsbase %0" ::"r"(b)); return 0; // arch_prctl, of nothing else
    case 228: return read_clock((u64 *)b);        // clock_gettime
    case 318: return fill_random((u8 *)a, b);     // getrandom
    case 7: case 10: case 11: case 13: return 0;  // poll, mprotect, munmap, rt_sigaction
    case 14: case 28: case 131: case 202:         // rt_sigprocmask, madvise, sigaltstack, futex,
    case 273: return 0;                           // set_robust_list
    case 39: case 186: case 218: return 1;        // getpid, gettid, set_tid_address
    case 56: case 435: return -11;                // clone, clone3: EAGAIN, no more threads
    default: return -38;                          // ENOSYS
    }
}

void serve(long *call) { call[0] = answer(call[0], call[1], call[2], call[3]); }

void boot(void) {
    const u64 *last = (const u64 *)(STACK + PAGE) - 2; // sectors of memory, where to start
    out(SERIAL + 3, 3); // bytes of 8 bits
    read_disk(0, PAGE / SECTOR, STACK);
    read_disk(PAGE / SECTOR, last[0], MEMORY);
    maps = MAPS;
    asm volatile("fninit; mov %0, %%rsp; jmp *%1" ::"r"((u64)STACK), "r"(last[1]), "d"(0));
}
