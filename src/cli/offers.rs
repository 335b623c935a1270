//! Model servers of this machine that could be configured, in words for the terminal. None is used unasked.

use cowork::protocol::ModelOffer;

/// What a person may want to know at a start without a model.
pub fn tell(offers: &[ModelOffer]) {
    offers.iter().for_each(|offer| println!("{}", words(offer)));
}

/// The offer, with the lines that take it up.
pub fn words(offer: &ModelOffer) -> String {
    let (first, more) = (offer.models.first(), offer.models.len().saturating_sub(1));
    let more = if more > 0 { format!(" It has {more} more; GET /models/offers names them.") } else { String::new() };
    let lines = first.map(|model| model.toml.trim_end()).unwrap_or_default();
    format!(
        "{} runs on this machine, at {}, and is not used. To use it, put these lines into loom.toml and start again.{more}\n\n{lines}\n",
        offer.name, offer.base_url
    )
}

#[cfg(test)]
mod tests {
    use cowork::protocol::OfferedModel;

    use super::*;

    #[test]
    fn an_offer_is_told_with_the_lines_that_take_it_up() {
        let model =
            |name: &str| OfferedModel { model: name.into(), toml: format!("[models.ollama]\nmodel = \"{name}\"\n") };
        let offer = ModelOffer {
            name: "Ollama".into(),
            provider: "ollama".into(),
            base_url: "http://127.0.0.1:11434".into(),
            models: vec![model("a"), model("b")],
        };
        let words = words(&offer);
        assert!(words.contains("is not used") && words.contains("It has 1 more"), "{words}");
        assert!(words.ends_with("\n\n[models.ollama]\nmodel = \"a\"\n"), "{words}");
    }
}
