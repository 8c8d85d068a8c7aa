//! The version of WASI that components are built for.

use clap::ValueEnum;

/// A version of WASI, and with it of Spin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Wasi {
    /// Spin 2.6 and later.
    #[value(name = "0.2")]
    V02,
    /// Spin 4.1 and later.
    #[default]
    #[value(name = "0.3")]
    V03,
}

impl Wasi {
    pub(super) fn version(self) -> &'static str {
        match self {
            Wasi::V02 => "0.2",
            Wasi::V03 => "0.3",
        }
    }

    /// The folder that cargo builds in, in the repository, as in its own manifests.
    pub(super) fn target_dir(self) -> &'static str {
        match self {
            Wasi::V02 => "target/wasip2",
            Wasi::V03 => "target",
        }
    }

    /// The folder of what was built.
    pub(super) fn folder(self) -> String {
        format!("{}/wasm32-wasip2/component", self.target_dir())
    }

    /// The arguments of cargo that choose the version.
    pub(super) fn features(self) -> &'static str {
        match self {
            Wasi::V02 => " --no-default-features --features wasip2",
            Wasi::V03 => "",
        }
    }
}
