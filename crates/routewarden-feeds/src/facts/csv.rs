//! Lines of CSV whose columns are told by the names in the first line.

/// Fields between commas, perhaps in quotes, in which a quote is doubled (RFC 4180 §2).
pub(super) fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.next_if_eq(&'"').is_some() => {
                fields.last_mut().into_iter().for_each(|field| field.push('"'));
            }
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            c => fields.last_mut().into_iter().for_each(|field| field.push(c)),
        }
    }
    fields.into_iter().map(|field| field.trim().to_owned()).collect()
}

/// The names of the columns, letters and digits only, in small letters: `ASN(s)` is `asns`, `Member
/// since` and `member_since` are `membersince`.
pub(super) struct Header(Vec<String>);

impl Header {
    pub(super) fn of(line: &str) -> Self {
        let plain = |name: &String| {
            let kept = name.chars().filter(char::is_ascii_alphanumeric);
            kept.map(|c| c.to_ascii_lowercase()).collect()
        };
        Header(fields(line).iter().map(plain).collect())
    }

    /// The place of the column with the first of these names that there is.
    pub(super) fn column(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.0.iter().position(|held| held == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_be_quoted_and_columns_have_several_names() {
        assert_eq!(fields(r#"a,"b ""c"", d", e"#), ["a", "b \"c\", d", "e"]);
        assert_eq!(fields(""), [""]);
        let header = Header::of("Name,ASN(s),\"Member since\",asn");
        assert_eq!(header.column(&["asns", "asn"]), Some(1));
        assert_eq!(header.column(&["since", "membersince"]), Some(2));
        assert_eq!(header.column(&["other"]), None);
    }
}
