//! Which machine code does the arithmetic: chosen once, by what the processor has.

use core::fmt;
use std::env;
use std::sync::atomic::{AtomicU8, Ordering};

/// The environment variable that forces a back end.
pub const BACKEND_VARIABLE: &str = "SSCARD_SM2_BACKEND";

/// A set of implementations of the same functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Backend {
    /// Compiled from plain Rust: every processor.
    Portable = 1,
    /// x86-64 with mulx (BMI2), adcx and adox (ADX), AES-NI and SSSE3: Intel since Broadwell, AMD
    /// and Hygon since Zen.
    Adx = 2,
    /// The same with AVX-512 and its multiplication of 52 bits (IFMA), by which products of points
    /// are calculated eight at a time: Intel since Ice Lake, AMD since Zen 4.
    Ifma = 3,
}

/// Why what the variable asks for can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendRefused {
    /// No back end of this name was built for this kind of processor.
    Unknown,
    /// This processor lacks instructions that it is made of.
    Unsupported(Backend),
}

/// 0 until chosen.
static CHOSEN: AtomicU8 = AtomicU8::new(0);

impl Backend {
    /// All that were built for this kind of processor, from the slowest to the fastest: the last
    /// that it can run is chosen.
    pub const BUILT: &'static [Self] = if cfg!(target_arch = "x86_64") {
        &[Self::Portable, Self::Adx, Self::Ifma]
    } else {
        &[Self::Portable]
    };

    /// The name, as the variable has it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Adx => "adx",
            Self::Ifma => "ifma",
        }
    }

    /// The one in use, chosen at the first call. A wrong value of the variable is an error of
    /// [`crate::prepare`]; here it counts as absent.
    pub fn current() -> Self {
        match CHOSEN.load(Ordering::Relaxed) {
            0 => choose(),
            chosen if chosen == Self::Adx as u8 => Self::Adx,
            chosen if chosen == Self::Ifma as u8 => Self::Ifma,
            _ => Self::Portable,
        }
    }

    /// Whether [`Backend::Adx`] or what stands on it was chosen: one load and one comparison, for
    /// the innermost loops.
    ///
    /// Until something has called [`Self::current`], as the tables of the base point do when they
    /// are built, the answer is no, and right: the portable back end runs everywhere.
    #[inline(always)]
    pub(crate) fn is_adx() -> bool {
        CHOSEN.load(Ordering::Relaxed) >= Self::Adx as u8
    }

    /// Whether [`Backend::Ifma`] was chosen; no until something was, as in [`Self::is_adx`].
    #[inline(always)]
    pub(crate) fn is_ifma() -> bool {
        CHOSEN.load(Ordering::Relaxed) == Self::Ifma as u8
    }

    /// Those of [`Self::BUILT`] that this processor can run.
    pub fn available() -> impl Iterator<Item = Self> {
        Self::BUILT
            .iter()
            .copied()
            .filter(|backend| backend.is_supported())
    }

    fn is_supported(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Adx => {
                std::arch::is_x86_feature_detected!("bmi2")
                    && std::arch::is_x86_feature_detected!("adx")
                    && std::arch::is_x86_feature_detected!("aes")
                    && std::arch::is_x86_feature_detected!("ssse3")
            }
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => Self::Adx.is_supported() && crate::lanes::is_supported(),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Adx | Self::Ifma => false,
        }
    }

    /// Whether the variable may ask for it. Of adx the processor has no say, because valgrind hides it
    /// and runs it all the same; of ifma nothing runs where it is missing.
    fn may_be_forced(self) -> bool {
        self != Self::Ifma || cfg!(feature = "emulation") || self.is_supported()
    }
}

/// What the variable says; nothing where it is not set, or empty.
pub(crate) fn forced() -> Result<Option<Backend>, BackendRefused> {
    let Some(value) = env::var_os(BACKEND_VARIABLE).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let backend = Backend::BUILT
        .iter()
        .copied()
        .find(|backend| value == backend.name())
        .ok_or(BackendRefused::Unknown)?;
    if !backend.may_be_forced() {
        return Err(BackendRefused::Unsupported(backend));
    }
    Ok(Some(backend))
}

/// Two threads that choose at the same time choose the same.
#[cold]
fn choose() -> Backend {
    let forced = forced().unwrap_or(None);
    let chosen = forced
        .or_else(|| Backend::available().last())
        .unwrap_or(Backend::Portable);
    CHOSEN.store(chosen as u8, Ordering::Relaxed);
    chosen
}

impl fmt::Display for BackendRefused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |backends: &mut dyn Iterator<Item = Backend>| {
            let names: Vec<&str> = backends.map(Backend::name).collect();
            names.join(", ")
        };
        match self {
            Self::Unknown => write!(
                formatter,
                "{BACKEND_VARIABLE} is none of: {}",
                names(&mut Backend::BUILT.iter().copied())
            ),
            Self::Unsupported(backend) => write!(
                formatter,
                "{BACKEND_VARIABLE} asks for {}, which this processor lacks the instructions for; \
                 it has what is needed for: {}",
                backend.name(),
                names(&mut Backend::available())
            ),
        }
    }
}

impl core::error::Error for BackendRefused {}

/// Returns the first from the function around it when [`Backend::is_adx`], else gives the second;
/// on other processors there is no first.
macro_rules! by_backend {
    (adx: $adx:expr, portable: $portable:expr $(,)?) => {{
        #[cfg(target_arch = "x86_64")]
        if crate::backend::Backend::is_adx() {
            return $adx;
        }
        $portable
    }};
}

pub(crate) use by_backend;
