//! A look into a file, over the page.

use leptos::{html, prelude::*, task::spawn_local};

use super::{sizes::size, state::Files, tree::address};
use crate::{
    protocol::{FilePreview, PreviewKind, Table},
    ui::{
        browser,
        widgets::{Glyph, Icon, Notice},
        words::{fill, words},
    },
};

#[component]
pub fn Preview(files: Files) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let found = RwSignal::new(None::<Result<FilePreview, String>>);
    Effect::new(move |_| {
        let Some(path) = files.shown.get() else { return browser::close_dialog(dialog) };
        found.set(None);
        browser::show_dialog(dialog);
        let address = files.view.path(&["/preview/", &address(&path)].concat());
        spawn_local(async move {
            let answer = browser::get::<FilePreview>(&address).await;
            found.try_set(Some(answer.map_err(|error| error.detail)));
        });
    });
    let w = &words().files;
    let path = move || files.shown.get().unwrap_or_default();
    let mention = move |_| {
        files.view.mention.set(files.shown.get_untracked());
        files.shown.set(None);
    };
    let body = move || match found.get() {
        None => view! { <p class="empty">"…"</p> }.into_any(),
        Some(Err(detail)) => view! { <Notice kind="failed">{detail}</Notice> }.into_any(),
        Some(Ok(preview)) => content(preview),
    };
    view! {
        <dialog class="preview" node_ref=dialog aria-label=move || fill(w.preview_of, &[&path()]) on:close=move |_| files.shown.set(None)>
            <div class="preview-head">
                <h2>{path}</h2>
                <button type="button" class="button quiet" on:click=mention>{w.mention}</button>
                <button type="button" class="button quiet" on:click=move |_| browser::copy(&path())>{w.copy_path}</button>
                <a class="button quiet" rel="external" download="" href=move || files.view.path(&["/files/", &address(&path())].concat())><Icon glyph=Glyph::Download/>{w.download}</a>
                <button type="button" class="button quiet icon-button" aria-label=words().frame.close on:click=move |_| files.shown.set(None)><Icon glyph=Glyph::Cross/></button>
            </div>
            <div class="preview-body">{body}</div>
        </dialog>
    }
}

fn content(preview: FilePreview) -> AnyView {
    let FilePreview { name, kind, truncated, encoding, text, html, table, url, size: bytes, .. } = preview;
    let w = &words().files;
    let shown = match kind {
        PreviewKind::Markdown => view! { <div class="prose" inner_html=html.unwrap_or_default()></div> }.into_any(),
        PreviewKind::Text => view! { <pre tabindex="0">{text}</pre> }.into_any(),
        PreviewKind::Table => grid(table.unwrap_or_default()).into_any(),
        PreviewKind::Image => view! { <img src=url alt=name/> }.into_any(),
        PreviewKind::Pdf => view! { <iframe src=url title=name></iframe> }.into_any(),
        PreviewKind::None => {
            view! { <p class="empty">{w.no_preview}" "{size(bytes, browser::language())}</p> }.into_any()
        }
    };
    let other = encoding.map(|encoding| view! { <p class="muted small">{fill(w.read_as, &[&encoding])}</p> });
    view! { {other} {truncated.then(|| view! { <p class="muted small">{w.cut}</p> })} {shown} }.into_any()
}

fn grid(table: Table) -> impl IntoView {
    let head = table.columns.into_iter().map(|cell| view! { <th>{cell}</th> }).collect_view();
    let row = |cells: Vec<String>| view! { <tr>{cells.into_iter().map(|cell| view! { <td>{cell}</td> }).collect_view()}</tr> };
    let rows = table.rows.into_iter().map(row).collect_view();
    view! { <div class="table-scroll prose" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div> }
}
