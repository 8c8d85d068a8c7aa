//! Hashing and mixing of 64-bit numbers. Pure.

/// Turns 64 random bits into a number that is uniform in `0.0..1.0`.
pub fn unit(bits: u64) -> f64 {
    // The 53 highest bits fill a double's significand: evenly spaced, and never 1.0.
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Mixes the position of a call and the number of its attempt into `state`.
pub(super) fn mix_call(state: u64, call: usize, attempt: u32) -> u64 {
    mix(mix(state ^ call as u64) ^ u64::from(attempt))
}

/// One step of SplitMix64.
pub fn mix(state: u64) -> u64 {
    let mut z = state.wrapping_add(SPLIT_MIX_STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The odd step of SplitMix64's counter.
pub const SPLIT_MIX_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// FNV-1a with 64 bits.
pub fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lie_in_the_half_open_unit_interval() {
        assert_eq!(unit(0), 0.0);
        assert_eq!(unit(1 << 63), 0.5);
        assert!(unit(u64::MAX) < 1.0);
    }
}
