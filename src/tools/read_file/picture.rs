//! Pictures: shown to models that see, told to the others.

use imagesize::ImageType;
use serde_json::json;

use crate::{
    agent::ports::{model::Picture, tool::ToolOutput},
    tools::wording::{count, printable, thousands},
    workspace::WorkspacePath,
};

/// The largest picture that is shown, in bytes: providers take 5 MB in base64, which is a third longer.
pub const MAX_PICTURE_BYTES: usize = 3_750_000;
/// The longest side that providers take, in pixels.
pub const MAX_PICTURE_SIDE: usize = 8_000;

/// `None`: the bytes are no picture.
pub fn told(path: &WorkspacePath, bytes: &[u8]) -> Option<ToolOutput> {
    let (name, media_type) = match imagesize::image_type(bytes).ok()? {
        ImageType::Png => ("PNG", "image/png"),
        ImageType::Jpeg => ("JPEG", "image/jpeg"),
        ImageType::Gif => ("GIF", "image/gif"),
        ImageType::Webp => ("WebP", "image/webp"),
        _ => return None,
    };
    let size = imagesize::blob_size(bytes).ok();
    let pixels =
        size.map_or_else(|| "of unknown size".to_owned(), |size| format!("{} × {} pixels", size.width, size.height));
    let mut text = format!(
        "{}: a picture ({name}), {pixels}, {}",
        printable(path.as_str()),
        count(bytes.len() as u64, "byte", "bytes")
    );
    let fits = size.is_some_and(|size| size.width.max(size.height) <= MAX_PICTURE_SIDE);
    let shown = fits && bytes.len() <= MAX_PICTURE_BYTES;
    if !shown {
        text.push_str(&format!(
            ". It is not shown: up to {} bytes and {MAX_PICTURE_SIDE} pixels a side are.",
            thousands(MAX_PICTURE_BYTES as u64)
        ));
    }
    let pictures = shown.then(|| Picture { name: path.to_string(), media_type, bytes: bytes.into() });
    let data = json!({
        "media_type": media_type,
        "width": size.map(|size| size.width),
        "height": size.map(|size| size.height),
        "bytes": bytes.len(),
    });
    let summary = format!("picture, {pixels}");
    Some(ToolOutput {
        text,
        summary,
        pictures: pictures.into_iter().collect(),
        data: Some(data),
        ..ToolOutput::default()
    })
}
