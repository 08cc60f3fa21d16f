//! Spans of time in words.

/// A span of `secs` seconds, none below zero, as people say it: `2 h 13 min 37 s`, `0 s`.
pub fn span_in_words(secs: i64) -> String {
    let (days, hours, minutes, rest) =
        (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60);
    let parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")];
    let words: Vec<String> = parts
        .iter()
        .skip_while(|(count, unit)| *count == 0 && *unit != "s")
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_zero_before_the_first_is_left_out() {
        let words = [0, 59, 3_600, 8_017, 90_061].map(span_in_words);
        assert_eq!(words, ["0 s", "59 s", "1 h 0 min 0 s", "2 h 13 min 37 s", "1 d 1 h 1 min 1 s"]);
    }
}
