//! `Upload-Metadata`: names with their values in base64.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::protocol::{ApiError, ErrorCode, OnConflict};

#[derive(Debug, PartialEq, Eq)]
pub struct Metadata {
    pub file_name: String,
    pub target_dir: String,
    pub on_conflict: OnConflict,
}

impl Metadata {
    /// What else a client says of its file, its type for example, is its own affair.
    pub fn parse(header: &str) -> Result<Self, ApiError> {
        let (mut file_name, mut target_dir, mut on_conflict) = (None, None, None);
        for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let place = match key {
                "filename" => &mut file_name,
                "target_dir" => &mut target_dir,
                "on_conflict" => &mut on_conflict,
                _ => continue,
            };
            let text = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let text = text.ok_or_else(|| wrong(&format!("`{key}` is not base64 of UTF-8")))?;
            if place.replace(text).is_some() {
                return Err(wrong(&format!("`{key}` stands twice")));
            }
        }
        let rule = |text: String| OnConflict::parse(&text).ok_or_else(|| wrong("`on_conflict` is no rule"));
        Ok(Self {
            file_name: file_name.ok_or_else(|| wrong("`filename` is missing"))?,
            target_dir: target_dir.filter(|dir| !dir.is_empty()).unwrap_or_else(|| ".".into()),
            on_conflict: on_conflict.map(rule).transpose()?.unwrap_or_default(),
        })
    }
}

fn wrong(why: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("`Upload-Metadata` does not fit: {why}. Nothing was begun."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_clients_send_it() {
        let read = Metadata::parse("filename w6QudHh0,filetype dGV4dC9wbGFpbg==, on_conflict c2tpcA==,empty").unwrap();
        assert_eq!((read.file_name.as_str(), read.target_dir.as_str()), ("ä.txt", "."));
        assert_eq!(read.on_conflict, OnConflict::Skip);
        for wrong in [
            "",
            "filename",
            "filename !!",
            "filename YQ==,filename YQ==",
            "filename YQ==,on_conflict YQ==",
            "name YQ==",
        ] {
            let parsed = Metadata::parse(wrong);
            // An empty value is a name, if not one that can be used.
            assert!(wrong == "filename" || parsed.is_err(), "{wrong}");
        }
    }
}
