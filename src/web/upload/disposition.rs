//! `Content-Disposition` and `Content-Type` of a multipart body: a value and its parameters.
//!
//! Browsers send a quoted name in UTF-8, with `"`, CR and LF percent-encoded and nothing else; curl puts a backslash
//! before `"` and `\`. RFC 7578 bars `filename*`, and some programs send it all the same.

/// The value in lower case, and parameters with their names in lower case, in their order.
#[derive(Debug, PartialEq, Eq)]
pub struct Value {
    pub value: String,
    parameters: Vec<(String, String)>,
}

impl Value {
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (value, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        let mut parameters: Vec<(String, String)> = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let after = after.trim_start_matches(BLANKS);
            if after.is_empty() {
                break;
            }
            let (name, after) = after.split_once('=').ok_or("a parameter without a value")?;
            let name = name.trim_matches(BLANKS).to_ascii_lowercase();
            if !is_token(&name) {
                return Err("a parameter's name is malformed");
            }
            let (value, after) = parameter(after.trim_start_matches(BLANKS))?;
            if parameters.iter().any(|(known, _)| *known == name) {
                return Err("a parameter stands twice");
            }
            parameters.push((name, value));
            rest = after.trim_start_matches(BLANKS);
            if !rest.is_empty() && !rest.starts_with(';') {
                return Err("a parameter is malformed");
            }
        }
        Ok(Self { value: value.trim_matches(BLANKS).to_ascii_lowercase(), parameters })
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The name of a form's field.
    pub fn name(&self) -> Option<String> {
        self.get("name").map(unescape)
    }

    /// The name of a file. `filename*` goes first, as in RFC 6266, wherever it stands.
    pub fn file_name(&self) -> Result<Option<String>, &'static str> {
        match self.get("filename*") {
            Some(extended) => decode_extended(extended).map(Some),
            None => Ok(self.get("filename").map(unescape)),
        }
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// A token or a quoted text, and what follows.
fn parameter(text: &str) -> Result<(String, &str), &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([';', ' ', '\t']).unwrap_or(text.len());
        let token = &text[..end];
        if token.is_empty() || token.contains('"') {
            return Err("a parameter's value is malformed");
        }
        return Ok((token.to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' if matches!(chars.peek(), Some((_, '"' | '\\'))) => {
                value.extend(chars.next().map(|(_, escaped)| escaped));
            }
            c => value.push(c),
        }
    }
    Err("a quoted text has no end")
}

/// What browsers escape, and nothing else: a percent sign is a character like any other.
fn unescape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        value.push_str(&rest[..at]);
        let escaped = rest.get(at..at + 3).map(str::to_ascii_uppercase);
        let (c, length) = match escaped.as_deref() {
            Some("%22") => ('"', 3),
            Some("%0D") => ('\r', 3),
            Some("%0A") => ('\n', 3),
            _ => ('%', 1),
        };
        value.push(c);
        rest = &rest[at + length..];
    }
    value.push_str(rest);
    value
}

/// RFC 8187: `UTF-8''na%C3%AFve.txt`.
fn decode_extended(text: &str) -> Result<String, &'static str> {
    let mut parts = text.splitn(3, '\'');
    let (Some(charset), Some(_language), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("`filename*` is malformed");
    };
    if !charset.eq_ignore_ascii_case("utf-8") {
        return Err("`filename*` is not in UTF-8");
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(), digit()) else { return Err("`filename*` is malformed") };
        bytes.push((high * 16 + low) as u8);
    }
    String::from_utf8(bytes).map_err(|_| "`filename*` is not in UTF-8")
}

/// RFC 9110's token.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file_name(parameters: &str) -> Result<Option<String>, &'static str> {
        Value::parse(&format!("form-data; name=\"files\"; {parameters}"))?.file_name()
    }

    /// Assurance row 47, trap T6.
    #[test]
    fn every_usual_form_of_a_file_name_is_read() {
        for (form, name) in [
            (r#"filename="a.txt""#, "a.txt"),
            (r#"FileName="a.txt""#, "a.txt"),
            ("filename=a.txt", "a.txt"),
            (r#"filename = "a.txt" "#, "a.txt"),
            (r#"filename="a;b=c.txt""#, "a;b=c.txt"),
            (r#"filename="say %22hi%22.txt""#, "say \"hi\".txt"),
            (r#"filename="say \"hi\".txt""#, "say \"hi\".txt"),
            (r#"filename="a\\b""#, "a\\b"),
            (r#"filename="a\b""#, "a\\b"),
            (r#"filename="100%25 %2e%2e.txt""#, "100%25 %2e%2e.txt"),
            (r#"filename="a%0D%0ab""#, "a\r\nb"),
            (r#"filename="Überschuß 数.txt""#, "Überschuß 数.txt"),
            ("filename*=UTF-8''na%C3%AFve%20a.txt", "naïve a.txt"),
            ("filename*=utf-8'de'a.txt", "a.txt"),
            ("FILENAME*=UTF-8''a%22b.txt; filename=\"x\"", "a\"b.txt"),
            ("filename=\"x\"; filename*=UTF-8''b.txt", "b.txt"),
            (r#"filename="""#, ""),
            (r#"filename="a.txt";"#, "a.txt"),
        ] {
            assert_eq!(file_name(form).unwrap().as_deref(), Some(name), "{form}");
        }
        assert_eq!(file_name("x=y").unwrap(), None);
    }

    #[test]
    fn odd_forms_are_refused() {
        for form in [
            r#"filename="a.txt"#,
            r#"filename="a.txt"; filename="b.txt""#,
            r#"filename="a"b""#,
            "filename=",
            "filename",
            "filename*=latin-1''a",
            "filename*=UTF-8''%zz",
            "filename*=UTF-8''%ff",
            "filename*=a.txt",
            "file name=\"a\"",
        ] {
            assert!(file_name(form).is_err(), "{form}");
        }
    }

    proptest! {
        #[test]
        fn what_a_browser_sends_comes_back(name in r#"[a-z "%;=\u{e4}.2]{1,20}"#) {
            // A browser can't tell `"` from the letters `%22`.
            prop_assume!(!name.contains("%22"));
            let sent = name.replace('"', "%22");
            prop_assert_eq!(file_name(&format!("filename=\"{sent}\"")).unwrap(), Some(name));
        }

        #[test]
        fn no_text_breaks_the_reader(text in "\\PC{0,60}") {
            let _ = Value::parse(&text).map(|value| value.file_name());
        }
    }
}
