//! Partial segments of low-latency HLS (draft-pantos-hls-rfc8216bis §4.4.4.9), which the parser of playlists passes over.

/// One `EXT-X-PART`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) uri: String,
    pub(crate) duration_s: f64,
    /// Offset, if it is given, and length of the part in its resource.
    pub(crate) byte_range: Option<String>,
    /// `GAP=YES`: it is not there.
    pub(crate) is_gap: bool,
}

/// The parts of each segment in order, and last of the segment that is not finished.
///
/// # Errors
/// The line that is malformed.
pub(crate) fn read(text: &str) -> Result<Vec<Vec<Part>>, String> {
    let mut of_segment = vec![Vec::new()];
    for line in text.lines().map(str::trim) {
        if let Some(list) = line.strip_prefix(TAG) {
            let part = part(list).ok_or_else(|| format!("{line} is malformed"))?;
            if let Some(parts) = of_segment.last_mut() {
                parts.push(part);
            }
        } else if !line.is_empty() && !line.starts_with('#') {
            of_segment.push(Vec::new());
        }
    }
    Ok(of_segment)
}

fn part(list: &str) -> Option<Part> {
    let (mut uri, mut duration_s, mut byte_range, mut is_gap) = (None, None, None, false);
    for (name, value) in attributes(list)? {
        match name {
            "URI" => uri = Some(value.to_owned()),
            "DURATION" => duration_s = Some(value.parse().ok()?),
            "BYTERANGE" => byte_range = Some(value.to_owned()),
            "GAP" => is_gap = value == "YES",
            _ => {}
        }
    }
    Some(Part {
        uri: uri?,
        duration_s: duration_s?,
        byte_range,
        is_gap,
    })
}

/// An attribute list (RFC 8216 §4.2), values without their quotes; `None` if it is malformed.
pub(crate) fn attributes(mut list: &str) -> Option<Vec<(&str, &str)>> {
    let mut attributes = Vec::new();
    while !list.is_empty() {
        let (name, rest) = list.split_once('=')?;
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find(',').unwrap_or(rest.len())),
        };
        attributes.push((name.trim(), value.trim()));
        list = match rest.strip_prefix(',') {
            Some(rest) => rest,
            None if rest.trim().is_empty() => "",
            None => return None,
        };
    }
    Some(attributes)
}

const TAG: &str = "#EXT-X-PART:";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_belong_to_the_segment_that_follows_them() {
        let text = "#EXTM3U\n#EXT-X-PART-INF:PART-TARGET=0.5\n#EXT-X-PART:DURATION=0.5,URI=\"a,b.m4s\",INDEPENDENT=YES\n\
                    #EXT-X-PART:DURATION=0.48,URI=\"c.m4s\"\n#EXTINF:0.98,\ns0.m4s\n\
                    #EXT-X-PART:URI=\"d.m4s\",DURATION=0.5,GAP=YES,X-NEW=1\n\
                    #EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"e.m4s\"\n";
        let read = read(text).unwrap();
        let named = |parts: &[Part]| parts.iter().map(|part| part.uri.clone()).collect::<Vec<_>>();
        assert_eq!(read.len(), 2);
        assert_eq!(named(&read[0]), ["a,b.m4s", "c.m4s"]);
        assert_eq!(named(&read[1]), ["d.m4s"]);
        assert!(read[1][0].is_gap);
    }

    #[test]
    fn a_malformed_part_is_refused_with_its_line() {
        for line in [
            "#EXT-X-PART:DURATION=0.5",
            "#EXT-X-PART:DURATION=half,URI=\"a\"",
            "#EXT-X-PART:DURATION=0.5,URI=\"a",
            "#EXT-X-PART:DURATION=0.5,URI=\"a\"b",
        ] {
            assert_eq!(read(line), Err(format!("{line} is malformed")));
        }
    }
}
