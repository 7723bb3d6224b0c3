//! Montgomery arithmetic for x86-64 with mulx, adcx and adox.
//!
//! mulx leaves the flags alone, adcx carries in one flag and adox in the other, so that a row of
//! products is added in two chains that don't wait for each other. Compilers keep only one chain;
//! hence the assembly. No instruction here branches or takes longer for some values.
//!
//! The arithmetic is that of `residue`: four limbs, reduced values times 2^256, reduced results.

#![allow(unsafe_code)]

#[macro_use]
mod code;

use core::arch::asm;

use crate::limbs::Limbs;
use crate::moduli::{N, N_FACTOR};

/// n and -1/n mod 2^64, where the assembly finds them.
static N_AND_FACTOR: [u64; 5] = {
    let [n0, n1, n2, n3] = N;
    [n0, n1, n2, n3, N_FACTOR]
};

/// Runs the code of a product and of its reduction; gives the four limbs left.
macro_rules! montgomery {
    ([$($code:expr),+ $(,)?], $($operands:tt)+) => {{
        let (r0, r1, r2, r3);
        // SAFETY: reads the arrays that it is given and writes registers only.
        unsafe {
            asm!(
                $($code,)+
                $($operands)+,
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
    }};
}

/// r0 to r7 = a b.
macro_rules! product {
    () => {
        concat!(
            first_row!(),
            "\n",
            row!("8", "{r1}", "{r2}", "{r3}", "{r4}", "{r5}"),
            row!("16", "{r2}", "{r3}", "{r4}", "{r5}", "{r6}"),
            row!("24", "{r3}", "{r4}", "{r5}", "{r6}", "{r7}"),
        )
    };
}

/// Returns a b / 2^256 mod p.
#[inline(always)]
pub(crate) fn multiply_p(a: &Limbs, b: &Limbs) -> Limbs {
    montgomery!(
        [product!(), reduce_p!()],
        a = in(reg) a.as_ptr(),
        b = in(reg) b.as_ptr()
    )
}

/// Returns a^2 / 2^256 mod p.
#[inline(always)]
pub(crate) fn square_p(a: &Limbs) -> Limbs {
    montgomery!([square!(), reduce_p!()], a = in(reg) a.as_ptr())
}

/// Squares `count` times.
pub(crate) fn square_times_p(a: &Limbs, count: u32) -> Limbs {
    (0..count).fold(*a, |power, _| square_p(&power))
}

/// Returns a b / 2^256 mod n.
#[inline(always)]
pub(crate) fn multiply_n(a: &Limbs, b: &Limbs) -> Limbs {
    montgomery!(
        [product!(), reduce_n!()],
        a = inout(reg) a.as_ptr() => _,
        b = in(reg) b.as_ptr(),
        n = sym N_AND_FACTOR
    )
}

/// Returns a^2 / 2^256 mod n.
#[inline(always)]
pub(crate) fn square_n(a: &Limbs) -> Limbs {
    montgomery!(
        [square!(), reduce_n!()],
        a = inout(reg) a.as_ptr() => _,
        n = sym N_AND_FACTOR
    )
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
