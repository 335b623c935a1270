//! The places of the rows that a filter shows, kept from one event to the next: a row that comes costs one look, however
//! many stand before it.

use super::filter::Wanted;
use crate::{protocol::Seq, ui::session_view::LogRow};

type Key = (Seq, bool);

pub struct Places {
    wanted: Wanted,
    /// Ascending.
    pub shown: Vec<usize>,
    looked_at: usize,
    /// The first and the last row that were looked at. While both stand where they stood, rows have only been added.
    ends: Option<(Key, Key)>,
}

impl Places {
    /// The places now, and whether they are others than before. `shows` is asked for each row that has to be looked at.
    pub fn follow(
        before: Option<Self>,
        wanted: Wanted,
        rows: &[LogRow],
        shows: impl Fn(&Wanted, &LogRow) -> bool,
    ) -> (Self, bool) {
        let of_same_rows = before.filter(|before| before.ends == ends(&rows[..before.looked_at.min(rows.len())]));
        let (mut shown, looked_at, mut changed) = match of_same_rows {
            Some(before) if before.wanted == wanted => (before.shown, before.looked_at, false),
            // Whoever types on looks for it among what is shown.
            Some(mut before) if wanted.narrows(&before.wanted) => {
                before.shown.retain(|place| shows(&wanted, &rows[*place]));
                (before.shown, before.looked_at, true)
            }
            _ => (Vec::new(), 0, true),
        };
        for (place, row) in rows.iter().enumerate().skip(looked_at) {
            if shows(&wanted, row) {
                shown.push(place);
                changed = true;
            }
        }
        (Self { wanted, shown, looked_at: rows.len(), ends: ends(rows) }, changed)
    }
}

fn ends(rows: &[LogRow]) -> Option<(Key, Key)> {
    Some((rows.first()?.key(), rows.last()?.key()))
}

#[cfg(test)]
mod tests {
    use std::{cell::Cell, sync::Arc};

    use serde_json::json;

    use super::*;
    use crate::{
        protocol::{Actor, Event},
        ui::logs::filter::Chosen,
    };

    fn row(seq: Seq) -> LogRow {
        let event = json!({
            "seq": seq, "created_at": "", "actor": Actor::system(), "event_type": "session_error",
            "payload": {"code": "internal", "detail": format!("Fault {seq}")},
        });
        LogRow::Event(Arc::new(serde_json::from_value::<Event>(event).unwrap()))
    }

    fn wanted(text: &str) -> Wanted {
        Wanted { chosen: Chosen::All, text: text.into(), paused_at: None }
    }

    /// What comes of it, and how many rows were looked at for it.
    fn follow(before: Option<Places>, wanted: Wanted, rows: &[LogRow]) -> (Places, bool, usize) {
        let looks = Cell::new(0);
        let (places, changed) = Places::follow(before, wanted, rows, |wanted, row| {
            looks.set(looks.get() + 1);
            wanted.shows(row)
        });
        let anew = Places::follow(None, Wanted { ..places.wanted.clone() }, rows, Wanted::shows).0;
        assert_eq!(places.shown, anew.shown, "as if it had been looked for anew");
        (places, changed, looks.get())
    }

    #[test]
    fn an_event_that_comes_costs_one_look() {
        let mut rows: Vec<_> = (1..=10_000).map(row).collect();
        let (mut places, ..) = follow(None, wanted("fault 100"), &rows);
        for seq in 10_001..=10_010 {
            rows.push(row(seq));
            let (now, changed, looks) = follow(Some(places), wanted("fault 100"), &rows);
            assert_eq!((changed, looks), (true, 1));
            places = now;
        }
        rows.push(row(200_000));
        assert!(matches!(follow(Some(places), wanted("fault 100"), &rows), (_, false, 1)), "nothing to draw");
    }

    #[test]
    fn who_types_on_looks_among_what_is_shown() {
        let rows: Vec<_> = (1..=1000).map(row).collect();
        let (places, ..) = follow(None, wanted("fault 99"), &rows);
        assert_eq!(places.shown.len(), 11);
        let (places, changed, looks) = follow(Some(places), wanted("fault 999"), &rows);
        assert_eq!((places.shown.as_slice(), changed, looks), ([998].as_slice(), true, 11));
        let (_, _, looks) = follow(Some(places), wanted("fault 99"), &rows);
        assert_eq!(looks, 1000, "what was left out is looked for again");
    }

    #[test]
    fn rows_that_come_before_or_between_or_go_are_noticed() {
        let mut rows: Vec<_> = (10..20).map(row).collect();
        let (places, ..) = follow(None, wanted(""), &rows);
        rows.splice(0..0, (1..10).map(row));
        let (places, ..) = follow(Some(places), wanted(""), &rows);
        rows.insert(5, LogRow::Reconnected { after: 5, recovered: 0 });
        let (places, ..) = follow(Some(places), wanted(""), &rows);
        rows.drain(..8);
        let (places, ..) = follow(Some(places), wanted(""), &rows);
        let (places, ..) = follow(Some(places), wanted("fault"), &rows);
        rows.clear();
        follow(Some(places), wanted("fault"), &rows);
    }
}
