//! Media names of a SegmentTemplate: `$RepresentationID$`, `$Number%05d$` and the like (§5.3.9.4.4).

/// A pattern of which only number and time are open.
pub(super) struct Template {
    parts: Vec<Part>,
}

enum Part {
    Text(String),
    Number { width: usize },
    Time { width: usize },
}

impl Template {
    pub(super) fn parse(pattern: &str, id: &str, bandwidth: u64) -> Result<Self, String> {
        let mut parts = Vec::new();
        for (index, piece) in pattern.split('$').enumerate() {
            if index % 2 == 0 {
                parts.push(Part::Text(piece.to_owned()));
                continue;
            }
            let (identifier, width) = match piece.split_once('%') {
                None => (piece, 1),
                Some((identifier, format)) => {
                    let width = format
                        .strip_prefix('0')
                        .and_then(|format| format.strip_suffix('d'));
                    let width = width
                        .and_then(|width| width.parse::<usize>().ok())
                        .filter(|width| *width <= 20);
                    (
                        identifier,
                        width.ok_or_else(|| format!("the format in {pattern:?} is not %0[width]d"))?,
                    )
                }
            };
            parts.push(match identifier {
                "" => Part::Text("$".to_owned()),
                "RepresentationID" => Part::Text(id.to_owned()),
                "Bandwidth" => Part::Text(format!("{bandwidth:0width$}")),
                "Number" => Part::Number { width },
                "Time" => Part::Time { width },
                other => return Err(format!("${other}$ in {pattern:?} is not supported")),
            });
        }
        if pattern.matches('$').count() % 2 == 1 {
            return Err(format!("{pattern:?} has a $ without its pair"));
        }
        Ok(Self { parts })
    }

    pub(super) fn expand(&self, number: u64, time: u64) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Number { width } => format!("{number:0width$}"),
            Part::Time { width } => format!("{time:0width$}"),
        };
        self.parts.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Template;

    #[test]
    fn identifiers_are_replaced() {
        let expand =
            |pattern: &str| Template::parse(pattern, "v1", 1500).map(|template| template.expand(7, 9000));
        assert_eq!(
            expand("$RepresentationID$/$Number%05d$.m4s").unwrap(),
            "v1/00007.m4s"
        );
        assert_eq!(expand("$Bandwidth$_$Time$$$.m4s").unwrap(), "1500_9000$.m4s");
        assert!(expand("$Number%5d$").is_err());
        assert!(expand("$SubNumber$").is_err());
        assert!(expand("a$Number").is_err());
    }
}
