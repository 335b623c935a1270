//! The tools as a server is told of them: the longest part of most requests, and the same in each until the tools
//! change. So they are written once.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{
    Value,
    value::{RawValue, to_raw_value},
};

use crate::agent::ports::model::{ModelError, ToolSpec};

#[derive(Default)]
pub struct ToolList {
    last: Mutex<Option<Last>>,
}

struct Last {
    tools: Arc<[ToolSpec]>,
    written: Arc<RawValue>,
}

impl ToolList {
    /// `tools` as `write` puts them, in JSON. `None` where there are none: some servers refuse an empty list.
    pub fn written(
        &self,
        tools: &Arc<[ToolSpec]>,
        write: impl FnOnce(&[ToolSpec]) -> Value,
    ) -> Result<Option<Arc<RawValue>>, ModelError> {
        if tools.is_empty() {
            return Ok(None);
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|last| Arc::ptr_eq(&last.tools, tools)) {
            return Ok(Some(last.written.clone()));
        }
        let written = to_raw_value(&write(tools))
            .map_err(|error| ModelError::Fatal(format!("The list of tools can't be written: {error}.")))?;
        let written = Arc::<RawValue>::from(written);
        *last = Some(Last { tools: tools.clone(), written: written.clone() });
        Ok(Some(written))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tools_are_written_anew_when_they_change_and_only_then() {
        let spec = |name: &str| ToolSpec { name: name.into(), description: String::new(), parameters: json!({}) };
        let (one, other): (Arc<[ToolSpec]>, Arc<[ToolSpec]>) = ([spec("a")].into(), [spec("b"), spec("c")].into());
        let (list, mut count) = (ToolList::default(), 0);
        let mut written = |tools: &Arc<[ToolSpec]>| {
            let write = |specs: &[ToolSpec]| {
                count += 1;
                specs.iter().map(|spec| json!(spec.name)).collect()
            };
            (list.written(tools, write).unwrap().map(|text| text.get().to_owned()), count)
        };
        assert_eq!(written(&one), (Some(r#"["a"]"#.into()), 1));
        assert_eq!(written(&one.clone()), (Some(r#"["a"]"#.into()), 1));
        assert_eq!(written(&other), (Some(r#"["b","c"]"#.into()), 2));
        assert_eq!(written(&Arc::default()), (None, 2));
        assert_eq!(written(&one), (Some(r#"["a"]"#.into()), 3));
    }
}
