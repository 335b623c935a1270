//! The fields before the first file.

use crate::protocol::{ApiError, ErrorCode, OnConflict};

/// A path, each of its bytes written in three.
pub const FIELD_BYTES: usize = 16 * 1024;

#[derive(Debug, Default)]
pub struct Fields {
    target_dir: Option<String>,
    on_conflict: Option<OnConflict>,
}

impl Fields {
    pub fn take(&mut self, name: &str, value: &[u8]) -> Result<(), ApiError> {
        let value = std::str::from_utf8(value).map_err(|_| bad(&format!("`{}` is not UTF-8", shown(name))))?;
        match name {
            "target_dir" => set(&mut self.target_dir, name, value.to_owned()),
            "on_conflict" => {
                let rule = OnConflict::parse(value)
                    .ok_or_else(|| invalid("`on_conflict` is none of `fail`, `replace`, `keep_both`, `skip`"))?;
                set(&mut self.on_conflict, name, rule)
            }
            // The older way to say two of them.
            "overwrite" => match value {
                "true" => set(&mut self.on_conflict, name, OnConflict::Replace),
                "false" => set(&mut self.on_conflict, name, OnConflict::Fail),
                _ => Err(invalid("`overwrite` is neither `true` nor `false`")),
            },
            "files" => Err(bad("a part `files` has no file name")),
            other => Err(invalid(&format!("`{}` is not a field of an upload", shown(other)))),
        }
    }

    pub fn target_dir(&self) -> &str {
        self.target_dir.as_deref().filter(|dir| !dir.is_empty()).unwrap_or(".")
    }

    pub fn on_conflict(&self) -> OnConflict {
        self.on_conflict.unwrap_or_default()
    }
}

fn set<T>(field: &mut Option<T>, name: &str, value: T) -> Result<(), ApiError> {
    if field.is_some() {
        return Err(bad(&format!("`{name}` is said twice")));
    }
    *field = Some(value);
    Ok(())
}

fn shown(name: &str) -> String {
    crate::workspace::names::shown(name)
}

/// The body is not one that an upload has.
pub fn bad(why: &str) -> ApiError {
    let detail = format!("The upload could not be read: {why}. Files that `files` doesn't list were not taken.");
    ApiError::new(ErrorCode::BadMultipart, detail)
}

fn invalid(why: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("The upload does not fit: {why}. Nothing was uploaded."))
}
