//! Montgomery arithmetic for x86-64 with mulx, adcx and adox.
//!
//! mulx leaves the flags alone, adcx carries in one flag and adox in the other, so that a row of
//! products is added in two chains that don't wait for each other. Compilers keep only one chain;
//! hence the assembly. No instruction here branches or takes longer for some values.
//!
//! The arithmetic is that of `residue`: four limbs, reduced values times 2^256, reduced results.

#![allow(unsafe_code)]

use core::arch::asm;

use crate::limbs::Limbs;
use crate::residue::Modulus;
use crate::scalar::{N, NEGATED_INVERSE};

/// r0 to r4 = a[0] b.
macro_rules! first_row {
    () => {
        "mov rdx, [{a}]
        mulx {r1}, {r0}, [{b}]
        mulx {r2}, {lo}, [{b} + 8]
        add {r1}, {lo}
        mulx {r3}, {lo}, [{b} + 16]
        adc {r2}, {lo}
        mulx {r4}, {lo}, [{b} + 24]
        adc {r3}, {lo}
        adc {r4}, 0"
    };
}

/// Adds a[offset / 8] b to four limbs; the fifth is new.
macro_rules! row {
    ($offset:literal, $s0:literal, $s1:literal, $s2:literal, $s3:literal, $s4:literal) => {
        concat!(
            "mov rdx, [{a} + ",
            $offset,
            "]\n",
            "xor {lo:e}, {lo:e}\n",
            "mulx {hi}, {lo}, [{b}]\n",
            "adcx ",
            $s0,
            ", {lo}\n",
            "adox ",
            $s1,
            ", {hi}\n",
            "mulx {hi}, {lo}, [{b} + 8]\n",
            "adcx ",
            $s1,
            ", {lo}\n",
            "adox ",
            $s2,
            ", {hi}\n",
            "mulx {hi}, {lo}, [{b} + 16]\n",
            "adcx ",
            $s2,
            ", {lo}\n",
            "adox ",
            $s3,
            ", {hi}\n",
            "mulx ",
            $s4,
            ", {lo}, [{b} + 24]\n",
            "adcx ",
            $s3,
            ", {lo}\n",
            "mov {hi:e}, 0\n",
            "adox ",
            $s4,
            ", {hi}\n",
            "adcx ",
            $s4,
            ", {hi}\n",
        )
    };
}

/// r0 to r7 = a^2: the products off the diagonal once, doubled, then the diagonal.
macro_rules! square {
    () => {
        "mov rdx, [{a}]
        mulx {r2}, {r1}, [{a} + 8]
        mulx {r3}, {lo}, [{a} + 16]
        add {r2}, {lo}
        mulx {r4}, {lo}, [{a} + 24]
        adc {r3}, {lo}
        adc {r4}, 0
        mov rdx, [{a} + 8]
        xor {r0:e}, {r0:e}
        mulx {hi}, {lo}, [{a} + 16]
        adcx {r3}, {lo}
        adox {r4}, {hi}
        mulx {r5}, {lo}, [{a} + 24]
        adcx {r4}, {lo}
        adox {r5}, {r0}
        mov rdx, [{a} + 16]
        mulx {r6}, {lo}, [{a} + 24]
        adcx {r5}, {lo}
        adcx {r6}, {r0}
        mov rdx, [{a}]
        xor {r7:e}, {r7:e}
        mulx {hi}, {r0}, rdx
        adcx {r1}, {r1}
        adox {r1}, {hi}
        mov rdx, [{a} + 8]
        mulx {hi}, {lo}, rdx
        adcx {r2}, {r2}
        adox {r2}, {lo}
        adcx {r3}, {r3}
        adox {r3}, {hi}
        mov rdx, [{a} + 16]
        mulx {hi}, {lo}, rdx
        adcx {r4}, {r4}
        adox {r4}, {lo}
        adcx {r5}, {r5}
        adox {r5}, {hi}
        mov rdx, [{a} + 24]
        mulx {hi}, {lo}, rdx
        adcx {r6}, {r6}
        adox {r6}, {lo}
        adcx {r7}, {r7}
        adox {r7}, {hi}"
    };
}

/// Clears the lowest limb l of four by adding l p, whose limbs are shifts of l; its register
/// takes the new highest limb. See `Modulus::cancel_lowest_limb` of the field.
macro_rules! reduce_by_p {
    ($l:literal, $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            "mov {lo}, ",
            $l,
            "\n",
            "mov {hi}, ",
            $l,
            "\n",
            "shl {lo}, 32\n",
            "shr {hi}, 32\n",
            "add ",
            $s0,
            ", ",
            $l,
            "\n",
            "adc ",
            $s1,
            ", 0\n",
            "adc ",
            $s2,
            ", 0\n",
            "adc ",
            $l,
            ", 0\n",
            "sub ",
            $s0,
            ", {lo}\n",
            "sbb ",
            $s1,
            ", {hi}\n",
            "sbb ",
            $s2,
            ", {lo}\n",
            "sbb ",
            $l,
            ", {hi}\n",
        )
    };
}

macro_rules! reduce_p {
    () => {
        concat!(
            reduce_by_p!("{r0}", "{r1}", "{r2}", "{r3}"),
            reduce_by_p!("{r1}", "{r2}", "{r3}", "{r0}"),
            reduce_by_p!("{r2}", "{r3}", "{r0}", "{r1}"),
            reduce_by_p!("{r3}", "{r0}", "{r1}", "{r2}"),
            "add {r0}, {r4}
            adc {r1}, {r5}
            adc {r2}, {r6}
            adc {r3}, {r7}
            mov edx, 0
            adc edx, 0
            mov {r4}, {r0}
            mov {r5}, {r1}
            mov {r6}, {r2}
            mov {r7}, {r3}
            mov {lo}, 0xffffffff00000000
            mov {hi}, 0xfffffffeffffffff
            sub {r0}, -1
            sbb {r1}, {lo}
            sbb {r2}, -1
            sbb {r3}, {hi}
            sbb rdx, 0
            cmovc {r0}, {r4}
            cmovc {r1}, {r5}
            cmovc {r2}, {r6}
            cmovc {r3}, {r7}"
        )
    };
}

/// n and -1/n mod 2^64, where the assembly finds them.
static N_AND_FACTOR: [u64; 5] = {
    let [n0, n1, n2, n3] = N::VALUE;
    [n0, n1, n2, n3, NEGATED_INVERSE]
};

/// Clears the lowest limb l of four by adding l (-1/n) n; its register takes the new highest limb.
macro_rules! reduce_by_n {
    ($l:literal, $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            "mov rdx, ",
            $l,
            "\n",
            "imul rdx, [{a} + 32]\n",
            "xor {lo:e}, {lo:e}\n",
            "mulx {hi}, {lo}, [{a}]\n",
            "adcx ",
            $l,
            ", {lo}\n",
            "adox ",
            $s0,
            ", {hi}\n",
            "mulx {hi}, {lo}, [{a} + 8]\n",
            "adcx ",
            $s0,
            ", {lo}\n",
            "adox ",
            $s1,
            ", {hi}\n",
            "mulx {hi}, {lo}, [{a} + 16]\n",
            "adcx ",
            $s1,
            ", {lo}\n",
            "adox ",
            $s2,
            ", {hi}\n",
            "mulx {hi}, {lo}, [{a} + 24]\n",
            "adcx ",
            $s2,
            ", {lo}\n",
            // l is 0 now.
            "adox {hi}, ",
            $l,
            "\n",
            "adcx {hi}, ",
            $l,
            "\n",
            "mov ",
            $l,
            ", {hi}\n",
        )
    };
}

macro_rules! reduce_n {
    () => {
        concat!(
            "lea {a}, [rip + {n}]\n",
            reduce_by_n!("{r0}", "{r1}", "{r2}", "{r3}"),
            reduce_by_n!("{r1}", "{r2}", "{r3}", "{r0}"),
            reduce_by_n!("{r2}", "{r3}", "{r0}", "{r1}"),
            reduce_by_n!("{r3}", "{r0}", "{r1}", "{r2}"),
            "add {r0}, {r4}
            adc {r1}, {r5}
            adc {r2}, {r6}
            adc {r3}, {r7}
            mov edx, 0
            adc edx, 0
            mov {r4}, {r0}
            mov {r5}, {r1}
            mov {r6}, {r2}
            mov {r7}, {r3}
            sub {r0}, [{a}]
            sbb {r1}, [{a} + 8]
            sbb {r2}, [{a} + 16]
            sbb {r3}, [{a} + 24]
            sbb rdx, 0
            cmovc {r0}, {r4}
            cmovc {r1}, {r5}
            cmovc {r2}, {r6}
            cmovc {r3}, {r7}"
        )
    };
}

/// Returns a b / 2^256 mod p.
#[inline(always)]
pub(crate) fn multiply_p(a: &Limbs, b: &Limbs) -> Limbs {
    let (r0, r1, r2, r3);
    // SAFETY: reads the arrays and writes registers only.
    unsafe {
        asm!(
            first_row!(),
            row!("8", "{r1}", "{r2}", "{r3}", "{r4}", "{r5}"),
            row!("16", "{r2}", "{r3}", "{r4}", "{r5}", "{r6}"),
            row!("24", "{r3}", "{r4}", "{r5}", "{r6}", "{r7}"),
            reduce_p!(),
            a = in(reg) a.as_ptr(),
            b = in(reg) b.as_ptr(),
            r0 = out(reg) r0,
            r1 = out(reg) r1,
            r2 = out(reg) r2,
            r3 = out(reg) r3,
            r4 = out(reg) _,
            r5 = out(reg) _,
            r6 = out(reg) _,
            r7 = out(reg) _,
            lo = out(reg) _,
            hi = out(reg) _,
            out("rdx") _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// Returns a^2 / 2^256 mod p.
#[inline(always)]
pub(crate) fn square_p(a: &Limbs) -> Limbs {
    let (r0, r1, r2, r3);
    // SAFETY: reads the array and writes registers only.
    unsafe {
        asm!(
            square!(),
            reduce_p!(),
            a = in(reg) a.as_ptr(),
            r0 = out(reg) r0,
            r1 = out(reg) r1,
            r2 = out(reg) r2,
            r3 = out(reg) r3,
            r4 = out(reg) _,
            r5 = out(reg) _,
            r6 = out(reg) _,
            r7 = out(reg) _,
            lo = out(reg) _,
            hi = out(reg) _,
            out("rdx") _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// Squares `count` times.
pub(crate) fn square_times_p(a: &Limbs, count: u32) -> Limbs {
    (0..count).fold(*a, |power, _| square_p(&power))
}

/// Returns a b / 2^256 mod n.
#[inline(always)]
pub(crate) fn multiply_n(a: &Limbs, b: &Limbs) -> Limbs {
    let (r0, r1, r2, r3);
    // SAFETY: reads the arrays and a constant and writes registers only.
    unsafe {
        asm!(
            first_row!(),
            row!("8", "{r1}", "{r2}", "{r3}", "{r4}", "{r5}"),
            row!("16", "{r2}", "{r3}", "{r4}", "{r5}", "{r6}"),
            row!("24", "{r3}", "{r4}", "{r5}", "{r6}", "{r7}"),
            reduce_n!(),
            a = inout(reg) a.as_ptr() => _,
            b = in(reg) b.as_ptr(),
            r0 = out(reg) r0,
            r1 = out(reg) r1,
            r2 = out(reg) r2,
            r3 = out(reg) r3,
            r4 = out(reg) _,
            r5 = out(reg) _,
            r6 = out(reg) _,
            r7 = out(reg) _,
            lo = out(reg) _,
            hi = out(reg) _,
            out("rdx") _,
            n = sym N_AND_FACTOR,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// Returns a^2 / 2^256 mod n.
#[inline(always)]
pub(crate) fn square_n(a: &Limbs) -> Limbs {
    let (r0, r1, r2, r3);
    // SAFETY: reads the array and a constant and writes registers only.
    unsafe {
        asm!(
            square!(),
            reduce_n!(),
            a = inout(reg) a.as_ptr() => _,
            r0 = out(reg) r0,
            r1 = out(reg) r1,
            r2 = out(reg) r2,
            r3 = out(reg) r3,
            r4 = out(reg) _,
            r5 = out(reg) _,
            r6 = out(reg) _,
            r7 = out(reg) _,
            lo = out(reg) _,
            hi = out(reg) _,
            out("rdx") _,
            n = sym N_AND_FACTOR,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// Returns a + b mod p.
#[inline(always)]
pub(crate) fn add_p(a: &Limbs, b: &Limbs) -> Limbs {
    let [mut r0, mut r1, mut r2, mut r3] = *a;
    // SAFETY: reads the array and writes registers only.
    unsafe {
        asm!(
            "xor {carry:e}, {carry:e}",
            "add {r0}, [{b}]",
            "adc {r1}, [{b} + 8]",
            "adc {r2}, [{b} + 16]",
            "adc {r3}, [{b} + 24]",
            "adc {carry}, 0",
            "mov {s0}, {r0}",
            "mov {s1}, {r1}",
            "mov {s2}, {r2}",
            "mov {s3}, {r3}",
            "sub {r0}, -1",
            "sbb {r1}, {p1}",
            "sbb {r2}, -1",
            "sbb {r3}, {p3}",
            "sbb {carry}, 0",
            "cmovc {r0}, {s0}",
            "cmovc {r1}, {s1}",
            "cmovc {r2}, {s2}",
            "cmovc {r3}, {s3}",
            b = in(reg) b.as_ptr(),
            r0 = inout(reg) r0,
            r1 = inout(reg) r1,
            r2 = inout(reg) r2,
            r3 = inout(reg) r3,
            s0 = out(reg) _,
            s1 = out(reg) _,
            s2 = out(reg) _,
            s3 = out(reg) _,
            p1 = in(reg) 0xffff_ffff_0000_0000_u64,
            p3 = in(reg) 0xffff_fffe_ffff_ffff_u64,
            carry = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}

/// Returns a - b mod p: after a borrow p comes back, its limbs cut from the borrow's mask.
#[inline(always)]
pub(crate) fn subtract_p(a: &Limbs, b: &Limbs) -> Limbs {
    let [mut r0, mut r1, mut r2, mut r3] = *a;
    // SAFETY: reads the array and writes registers only.
    unsafe {
        asm!(
            "sub {r0}, [{b}]",
            "sbb {r1}, [{b} + 8]",
            "sbb {r2}, [{b} + 16]",
            "sbb {r3}, [{b} + 24]",
            "sbb {p0}, {p0}",
            "mov {p1}, {p0}",
            "mov {p3}, {p0}",
            "shl {p1}, 32",
            "btr {p3}, 32",
            "add {r0}, {p0}",
            "adc {r1}, {p1}",
            "adc {r2}, {p0}",
            "adc {r3}, {p3}",
            b = in(reg) b.as_ptr(),
            r0 = inout(reg) r0,
            r1 = inout(reg) r1,
            r2 = inout(reg) r2,
            r3 = inout(reg) r3,
            p0 = out(reg) _,
            p1 = out(reg) _,
            p3 = out(reg) _,
            options(pure, readonly, nostack),
        );
    }
    [r0, r1, r2, r3]
}
