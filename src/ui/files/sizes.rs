//! How large something is, for people.

use crate::ui::words::Language;

/// `1.2 MB`: powers of ten, as file managers show them.
pub fn size(bytes: u64, language: Language) -> String {
    const UNITS: [&str; 4] = ["B", "kB", "MB", "GB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let tenths = (value * 10.0).round() as u64;
    let number = if unit == 0 || tenths >= 100 { (value.round() as u64).to_string() } else { language.tenths(tenths) };
    [&number, " ", UNITS[unit]].concat()
}

#[cfg(test)]
mod tests {
    use super::size;
    use crate::ui::words::Language;

    #[test]
    fn sizes_are_short() {
        let told = [0, 999, 1000, 1_234_567, 52_428_800, 999_600, 3_000_000_000_000]
            .map(|bytes| size(bytes, Language::English));
        assert_eq!(told, ["0 B", "999 B", "1.0 kB", "1.2 MB", "52 MB", "1.0 MB", "3000 GB"]);
        assert_eq!(size(2000, Language::German), "2,0 kB");
    }
}
