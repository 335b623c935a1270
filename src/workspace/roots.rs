//! Which folders a session may work in. Functions here touch the disk and block.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use super::by_name;
use crate::protocol::{ApiError, ErrorCode, Folder, FolderList};

/// Folders in one answer of [`Roots::browse`]: more is no list that a person picks from.
pub const MAX_FOLDERS: usize = 1000;

const NEXT_STEP: &str = "Choose one of the folders that the list of folders shows.";

/// The allowed roots. A root that isn't there now is skipped and may come later.
#[derive(Clone, Debug, Default)]
pub struct Roots {
    roots: Vec<PathBuf>,
    default: Option<PathBuf>,
    home: Option<PathBuf>,
}

impl Roots {
    /// `default` is where sessions go that name no folder; it must stand under one of `roots`, too.
    pub fn new(roots: impl IntoIterator<Item = PathBuf>, default: Option<PathBuf>) -> Self {
        Self { roots: roots.into_iter().collect(), default, home: None }
    }

    /// Keeps sessions out of the home folder itself, where keys and settings lie open; folders in it stay allowed.
    pub fn guard_home(self, home: Option<PathBuf>) -> Self {
        Self { home: home.and_then(|home| home.canonicalize().ok()), ..self }
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.roots.iter().map(PathBuf::as_path)
    }

    /// The folder for a new session, canonical: the one asked for, or the default.
    pub fn resolve(&self, requested: Option<&str>) -> Result<PathBuf, ApiError> {
        match (requested, &self.default) {
            (Some(text), _) => self.usable(Path::new(text)),
            (None, Some(default)) => self.usable(default),
            (None, None) => Err(ApiError::new(
                ErrorCode::WorkspaceNotFound,
                format!("No folder was named, and none is configured as the default. {NEXT_STEP}"),
            )),
        }
    }

    /// Whether the folder of an existing session is still there and still allowed.
    pub fn check(&self, path: &Path) -> Result<(), ApiError> {
        self.usable(path).map(|_| ())
    }

    /// The folders in `dir`, or where to begin: the roots, or what is in the only one. Hidden folders are left out.
    pub fn browse(&self, dir: Option<&str>) -> Result<FolderList, ApiError> {
        let roots = self.present();
        match (dir, roots.as_slice()) {
            (Some(dir), _) => self.folders_in(&self.allowed(Path::new(dir))?),
            (None, [only]) => self.folders_in(only),
            (None, _) => Ok(FolderList {
                dir: None,
                parent: None,
                usable: false,
                writable: false,
                folders: roots.iter().map(|root| folder(root)).collect(),
            }),
        }
    }

    fn folders_in(&self, dir: &Path) -> Result<FolderList, ApiError> {
        let entries = std::fs::read_dir(dir).map_err(|_| not_readable(dir))?;
        let mut folders: Vec<Folder> = entries
            .filter_map(Result::ok)
            .filter(|entry| !is_hidden(Component::Normal(&entry.file_name())))
            .map(|entry| entry.path())
            .filter(|path| self.allowed(path).is_ok())
            .map(|path| folder(&path))
            .collect();
        folders.sort_by(|a, b| by_name(&a.name, &b.name));
        folders.truncate(MAX_FOLDERS);
        let parent = dir.parent().filter(|parent| self.covers(parent)).map(shown);
        let writable = rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).is_ok();
        Ok(FolderList { dir: Some(shown(dir)), parent, usable: self.usable(dir).is_ok(), writable, folders })
    }

    /// The folder, if a session may work in it.
    fn usable(&self, path: &Path) -> Result<PathBuf, ApiError> {
        let real = self.allowed(path)?;
        if self.home.as_ref() == Some(&real) {
            let detail =
                "The home folder itself holds keys and settings, so no session works in it. Choose a folder inside it.";
            return Err(ApiError::new(ErrorCode::WorkspaceNotAllowed, detail));
        }
        Ok(real)
    }

    /// Resolves all links first, so that what is judged is what will be opened.
    fn allowed(&self, path: &Path) -> Result<PathBuf, ApiError> {
        if !path.is_absolute() {
            return Err(ApiError::new(
                ErrorCode::WorkspaceNotFound,
                format!("`{}` is not the full path of a folder, so it could not be used. {NEXT_STEP}", path.display()),
            ));
        }
        match path.canonicalize() {
            Ok(real) if !self.covers(&real) => Err(not_allowed(path)),
            Ok(real) if !real.is_dir() => Err(not_a_folder(path)),
            Ok(real) => Ok(real),
            // Outside the roots nobody learns what exists.
            Err(error) if self.claims(path) => Err(missing(path, &error)),
            Err(_) => Err(not_allowed(path)),
        }
    }

    /// Whether a canonical path is a root or stands below one, with no hidden folder on the way.
    fn covers(&self, real: &Path) -> bool {
        self.present().iter().any(|root| below(root, real))
    }

    /// Whether a path that can't be resolved is written as one below a root.
    fn claims(&self, path: &Path) -> bool {
        let plain = path.components().all(|part| part != Component::ParentDir);
        plain && self.roots.iter().chain(&self.present()).any(|root| below(root, path))
    }

    fn present(&self) -> Vec<PathBuf> {
        let mut present: Vec<PathBuf> = Vec::new();
        for root in self.roots.iter().filter_map(|root| root.canonicalize().ok()).filter(|root| root.is_dir()) {
            if !present.contains(&root) {
                present.push(root);
            }
        }
        present
    }
}

/// By whole names: `/w/a-secret` is not below `/w/a`.
fn below(root: &Path, path: &Path) -> bool {
    path.strip_prefix(root).is_ok_and(|rest| !rest.components().any(is_hidden))
}

fn is_hidden(part: Component<'_>) -> bool {
    part.as_os_str().as_encoded_bytes().starts_with(b".")
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn folder(path: &Path) -> Folder {
    let name = path.file_name().map_or_else(|| shown(path), |name| name.to_string_lossy().into_owned());
    Folder { name, path: shown(path) }
}

fn not_allowed(path: &Path) -> ApiError {
    ApiError::new(
        ErrorCode::WorkspaceNotAllowed,
        format!(
            "`{}` is not in a folder that Cowork may use, so it was not opened. {NEXT_STEP} \
             Hidden folders are never allowed; other folders are added in the configuration as `[cowork] workspace_roots`.",
            path.display()
        ),
    )
}

fn not_a_folder(path: &Path) -> ApiError {
    ApiError::new(
        ErrorCode::WorkspaceNotFound,
        format!("`{}` is a file, not a folder, so no session can work in it. {NEXT_STEP}", path.display()),
    )
}

fn missing(path: &Path, error: &io::Error) -> ApiError {
    let fact = match error.kind() {
        io::ErrorKind::NotFound => "is not there",
        io::ErrorKind::PermissionDenied => "may not be read by Cowork",
        _ => "could not be opened",
    };
    ApiError::new(
        ErrorCode::WorkspaceNotFound,
        format!(
            "The folder `{}` {fact}, so no session can work in it. Create it, or choose another one.",
            path.display()
        ),
    )
}

fn not_readable(dir: &Path) -> ApiError {
    ApiError::new(
        ErrorCode::WorkspaceNotFound,
        format!(
            "The folder `{}` may not be read by Cowork, so what is in it can't be shown. Choose another one.",
            dir.display()
        ),
    )
}

#[cfg(test)]
#[path = "roots_tests.rs"]
mod roots_tests;
