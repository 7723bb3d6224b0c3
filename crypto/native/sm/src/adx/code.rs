//! The instructions, in pieces.
//!
//! Operands: `a` and `b` point to four limbs each; `r0` to `r7` hold a product and then its
//! reduction; `lo`, `hi` and rdx are free.

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
#[rustfmt::skip]
macro_rules! row {
    ($offset:literal, $s0:literal, $s1:literal, $s2:literal, $s3:literal, $s4:literal) => {
        concat!(
            "mov rdx, [{a} + ", $offset, "]\n",
            "xor {lo:e}, {lo:e}\n",
            "mulx {hi}, {lo}, [{b}]\n",
            "adcx ", $s0, ", {lo}\n",
            "adox ", $s1, ", {hi}\n",
            "mulx {hi}, {lo}, [{b} + 8]\n",
            "adcx ", $s1, ", {lo}\n",
            "adox ", $s2, ", {hi}\n",
            "mulx {hi}, {lo}, [{b} + 16]\n",
            "adcx ", $s2, ", {lo}\n",
            "adox ", $s3, ", {hi}\n",
            "mulx ", $s4, ", {lo}, [{b} + 24]\n",
            "adcx ", $s3, ", {lo}\n",
            "mov {hi:e}, 0\n",
            "adox ", $s4, ", {hi}\n",
            "adcx ", $s4, ", {hi}\n",
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
/// takes the new highest limb. See `Prime::cancel_lowest_limb` of the field.
#[rustfmt::skip]
macro_rules! reduce_by_p {
    ($l:literal, $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            "mov {lo}, ", $l, "\n",
            "mov {hi}, ", $l, "\n",
            "shl {lo}, 32\n",
            "shr {hi}, 32\n",
            "add ", $s0, ", ", $l, "\n",
            "adc ", $s1, ", 0\n",
            "adc ", $s2, ", 0\n",
            "adc ", $l, ", 0\n",
            "sub ", $s0, ", {lo}\n",
            "sbb ", $s1, ", {hi}\n",
            "sbb ", $s2, ", {lo}\n",
            "sbb ", $l, ", {hi}\n",
        )
    };
}

/// rdx and r0 to r3 = r0 to r3 plus r4 to r7; r4 to r7 take a copy, for the case that the modulus
/// can't be taken off.
macro_rules! add_high_half {
    () => {
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
        "
    };
}

/// r0 to r3 = (r0 to r7) / 2^256 mod p.
macro_rules! reduce_p {
    () => {
        concat!(
            reduce_by_p!("{r0}", "{r1}", "{r2}", "{r3}"),
            reduce_by_p!("{r1}", "{r2}", "{r3}", "{r0}"),
            reduce_by_p!("{r2}", "{r3}", "{r0}", "{r1}"),
            reduce_by_p!("{r3}", "{r0}", "{r1}", "{r2}"),
            add_high_half!(),
            "mov {lo}, 0xffffffff00000000
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

/// Clears the lowest limb l of four by adding l (-1/n) n; its register takes the new highest limb.
#[rustfmt::skip]
macro_rules! reduce_by_n {
    ($l:literal, $s0:literal, $s1:literal, $s2:literal) => {
        concat!(
            "mov rdx, ", $l, "\n",
            "imul rdx, [{a} + 32]\n",
            "xor {lo:e}, {lo:e}\n",
            "mulx {hi}, {lo}, [{a}]\n",
            "adcx ", $l, ", {lo}\n",
            "adox ", $s0, ", {hi}\n",
            "mulx {hi}, {lo}, [{a} + 8]\n",
            "adcx ", $s0, ", {lo}\n",
            "adox ", $s1, ", {hi}\n",
            "mulx {hi}, {lo}, [{a} + 16]\n",
            "adcx ", $s1, ", {lo}\n",
            "adox ", $s2, ", {hi}\n",
            "mulx {hi}, {lo}, [{a} + 24]\n",
            "adcx ", $s2, ", {lo}\n",
            // l is 0 now.
            "adox {hi}, ", $l, "\n",
            "adcx {hi}, ", $l, "\n",
            "mov ", $l, ", {hi}\n",
        )
    };
}

/// r0 to r3 = (r0 to r7) / 2^256 mod n; a is read no more and points to n and its factor.
macro_rules! reduce_n {
    () => {
        concat!(
            "lea {a}, [rip + {n}]\n",
            reduce_by_n!("{r0}", "{r1}", "{r2}", "{r3}"),
            reduce_by_n!("{r1}", "{r2}", "{r3}", "{r0}"),
            reduce_by_n!("{r2}", "{r3}", "{r0}", "{r1}"),
            reduce_by_n!("{r3}", "{r0}", "{r1}", "{r2}"),
            add_high_half!(),
            "sub {r0}, [{a}]
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
