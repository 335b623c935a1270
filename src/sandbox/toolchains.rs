//! Programs that people install below their home folder: which parts of it they need. The rest of the home folder,
//! keys and settings first of all, is not there for a program that the agent runs. Its private home has links to these
//! parts, so that each is found where it is looked for.

/// A folder below the home folder that stands on PATH, and what belongs to it.
pub struct Toolchain {
    /// Any folder on PATH at or below this one stands for the toolchain. Relative to the home folder, as all here.
    pub root: &'static str,
    /// What is needed, without what may hold keys (`.cargo/credentials.toml`, `.composer/auth.json`).
    pub visible: &'static [&'static str],
}

pub const TOOLCHAINS: &[Toolchain] = &[
    Toolchain {
        root: ".cargo",
        visible: &[".cargo/bin", ".cargo/registry", ".cargo/git", ".rustup/toolchains", ".rustup/settings.toml"],
    },
    Toolchain { root: ".pyenv", visible: &[".pyenv"] },
    Toolchain { root: ".nvm", visible: &[".nvm/versions", ".nvm/alias"] },
    Toolchain { root: ".volta", visible: &[".volta"] },
    Toolchain { root: ".asdf", visible: &[".asdf"] },
    Toolchain { root: ".rbenv", visible: &[".rbenv"] },
    Toolchain { root: ".sdkman", visible: &[".sdkman/candidates"] },
    Toolchain { root: ".bun", visible: &[".bun/bin"] },
    Toolchain { root: ".deno", visible: &[".deno/bin"] },
    Toolchain { root: ".dotnet", visible: &[".dotnet"] },
    Toolchain { root: ".npm-global", visible: &[".npm-global"] },
    Toolchain { root: "go", visible: &["go/bin", "go/pkg/mod"] },
    Toolchain {
        root: ".local",
        visible: &[
            ".local/bin",
            ".local/lib",
            ".local/pipx",
            ".local/share/pipx",
            ".local/share/uv",
            ".local/share/pnpm",
            ".local/share/fnm",
            ".local/share/mise/installs",
            ".local/share/mise/shims",
        ],
    },
];

/// Folders of the home folder that stay closed, whatever stands on PATH.
pub const SECRETS: &[&str] =
    &[".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".config", ".loom", ".mozilla", ".password-store"];
