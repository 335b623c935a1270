//! [`Roots`] as the agent's port.

use std::path::{Path, PathBuf};

use super::roots::Roots;
use crate::{
    agent::ports::workspaces::Workspaces,
    protocol::{ApiError, FolderList},
};

impl Workspaces for Roots {
    fn resolve(&self, requested: Option<&str>) -> Result<PathBuf, ApiError> {
        Self::resolve(self, requested)
    }
    fn check(&self, workspace: &Path) -> Result<(), ApiError> {
        Self::check(self, workspace)
    }
    fn browse(&self, dir: Option<&str>) -> Result<FolderList, ApiError> {
        Self::browse(self, dir)
    }
}
