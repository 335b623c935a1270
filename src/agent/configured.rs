//! What the agent is configured with, as people see it.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::timeout;

use super::{Agent, blocking, ports::model::ToolSpec};
use crate::protocol::{ApiError, FolderList, ModelInfo, ModelOffer, ToolInfo};

/// How long a health question to a model may take before it counts as unreachable.
const HEALTH_LIMIT: Duration = Duration::from_secs(6);

impl Agent {
    pub async fn models(&self) -> Vec<ModelInfo> {
        let asked = self.parts.models.iter().map(|entry| async move {
            let (health, context_limit) =
                tokio::join!(timeout(HEALTH_LIMIT, entry.model.health()), entry.context_limit());
            let detail = match health {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(error.to_string()),
                Err(_) => Some(format!("It did not answer within {} s.", HEALTH_LIMIT.as_secs())),
            };
            ModelInfo {
                name: entry.name.clone(),
                provider: entry.provider.clone(),
                model: entry.model_id.clone(),
                default: entry.name == self.parts.models.default_name(),
                context_limit,
                reachable: detail.is_none(),
                detail,
            }
        });
        join_all(asked).await
    }

    /// Models of this machine that could be configured; looked for only where none is.
    pub async fn model_offers(&self) -> Vec<ModelOffer> {
        self.parts.models.offers().await
    }

    /// The configured aliases, the default one first.
    pub fn model_names(&self) -> Vec<String> {
        let default = self.parts.models.default_name();
        let others = self.parts.models.iter().map(|entry| entry.name.as_str()).filter(|name| *name != default);
        std::iter::once(default).chain(others).map(Into::into).collect()
    }

    /// Whether a session may run in the mode that never asks.
    pub fn full_mode(&self) -> bool {
        self.parts.limits.full_mode
    }

    pub fn tools(&self) -> Vec<ToolInfo> {
        let info = |spec: &ToolSpec| ToolInfo {
            name: spec.name.clone(),
            description: spec.description.clone(),
            parameters: spec.parameters.clone(),
        };
        self.parts.tools.tools().specs().iter().map(info).collect()
    }

    pub async fn folders(&self, dir: Option<String>) -> Result<FolderList, ApiError> {
        let workspaces = self.parts.workspaces.clone();
        blocking(move || workspaces.browse(dir.as_deref())).await
    }

    /// Why a session can't go on in its folder, if it can't.
    pub async fn check_workspace(&self, workspace: String) -> Result<(), ApiError> {
        self.parts.check_workspace(workspace).await
    }
}
