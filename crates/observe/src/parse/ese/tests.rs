use proptest::collection::vec;
use proptest::prelude::*;

use super::written::{Kind, Options, SMALL, Table as Written, database};
use super::*;

fn reader(bytes: &[u8]) -> impl Fn(u64, usize) -> Option<Vec<u8>> + '_ {
    |start, length| {
        let start = usize::try_from(start).ok()?;
        Some(bytes.get(start..start.checked_add(length)?)?.to_vec())
    }
}

fn written(options: &Options) -> Vec<u8> {
    let rows = (0..40_u32).map(|number| {
        let name = format!("\u{1}name {number}").into_bytes();
        vec![
            Some(number.to_le_bytes().to_vec()),
            (number % 2 == 0).then(|| vec![7]),
            Some(name).filter(|_| number % 3 != 0),
            Some(vec![0x3, 1, 2, 3]),
        ]
    });
    let columns = [
        ("Number", Kind::Fixed(4)),
        ("Even", Kind::Fixed(1)),
        ("Name", Kind::Tagged),
        ("Compressed", Kind::Tagged),
    ];
    let table = Written {
        name: "Things",
        columns: &columns,
        rows: rows.collect(),
    };
    let other = Written {
        name: "Other",
        columns: &[],
        rows: Vec::new(),
    };
    database(options, &[other, table])
}

fn check(options: &Options) {
    let bytes = written(options);
    let read = reader(&bytes);
    let database = Database::open(&read).unwrap();
    assert_eq!(database.is_closed, options.is_closed);
    assert_eq!(database.table("Nothing"), None);
    let table = database.table("Things").unwrap();
    let mut number = 0;
    let missed = database.rows(&table, |row| {
        assert_eq!(row.number("Number"), Some(number));
        assert_eq!(row.number("Even"), (number % 2 == 0).then_some(7));
        let name = format!("name {number}");
        let name = if number % 3 == 0 {
            Value::None
        } else {
            Value::Bytes(name.as_bytes())
        };
        assert_eq!(row.value("Name"), name);
        assert_eq!(row.value("Compressed"), Value::NotRead);
        assert_eq!(row.value("Nothing"), Value::None);
        number += 1;
        true
    });
    assert_eq!((number, missed), (40, Missed::default()));
}

#[test]
fn rows_are_read_from_small_pages() {
    check(&SMALL);
    check(&Options {
        page_bytes: 8192,
        is_closed: false,
        ..SMALL
    });
}

#[test]
fn rows_are_read_from_large_pages() {
    for page_bytes in [16384, 32768] {
        check(&Options {
            page_bytes,
            ..SMALL
        });
    }
}

#[test]
fn damage_is_told() {
    let mut bytes = written(&SMALL);
    // A leaf of the second table, and the other one cut off.
    bytes[4096 + 39] ^= 0x80;
    bytes.truncate((6 + 1) * 4096 + 100);
    let read = reader(&bytes);
    let database = Database::open(&read).unwrap();
    let table = database.table("Things").unwrap();
    let mut count = 0;
    let missed = database.rows(&table, |_| {
        count += 1;
        true
    });
    let expected = Missed {
        pages: 1,
        damaged: 1,
    };
    assert_eq!((count, missed), (20, expected));
    assert!(database.is_listed());
}

#[test]
fn a_damaged_catalog_is_told() {
    let mut bytes = written(&SMALL);
    // More tags than a page has room for.
    let catalog = (CATALOG as usize + 1) * 4096;
    bytes[catalog + 34..catalog + 36].copy_from_slice(&[0xff; 2]);
    let read = reader(&bytes);
    let database = Database::open(&read).unwrap();
    assert_eq!(database.table("Things"), None);
    assert!(!database.is_listed());
}

#[test]
fn not_more_is_looked_at_than_any_database_has() {
    let mut walk = Walk {
        known: HashSet::new(),
        entries: MOST_ENTRIES - 2,
        missed: Missed::default(),
    };
    assert_eq!([walk.has_room(), walk.has_room()], [true, false]);
    assert!(!walk.has_room());
    assert_eq!(walk.missed.pages, 1);
}

#[test]
fn circles_end() {
    let mut bytes = written(&SMALL);
    // The child of the root of the second table is the root.
    let start = (5 + 1) * 4096 + 40 + 4;
    bytes[start..start + 4].copy_from_slice(&5_u32.to_le_bytes());
    let read = reader(&bytes);
    let database = Database::open(&read).unwrap();
    let table = database.table("Things").unwrap();
    let missed = database.rows(&table, |_| true);
    assert_eq!(missed.pages, 1);
}

/// A database of a real Windows (tests/data/SRUDB.dat; NOTICE says whose). How many rows each table has, and the sum of
/// all bytes of their values of a fixed length, are what `dissect.esedb` 3.18 reads.
#[test]
fn a_database_of_windows_is_read() {
    let bytes = include_bytes!("../../../tests/data/SRUDB.dat");
    let read = reader(bytes);
    let database = Database::open(&read).unwrap();
    for (name, rows, sum) in [
        ("MSysObjects", 161, 39374),
        ("MSysObjids", 28, 0),
        ("SruDbIdMapTable", 106, 5815),
        ("SruDbCheckpointTable", 0, 0),
        ("{17F4D97B-F26A-5E79-3A82-90040A47D13D}", 6, 10368),
        ("{841A7317-3805-518B-C2EA-AD224CB4AF84}", 3, 3525),
        ("{D10CA2FE-6FCF-4F6D-848E-B2E99266FA89}", 203, 450_691),
        ("{DD6636C4-8929-4683-974E-22C046A43763}", 3, 6165),
        ("{EEE2F477-0659-5C47-EF03-6D6BEFD441B3}", 2, 6658),
    ] {
        let table = database.table(name).unwrap();
        let fixed = table.columns.iter().filter(|it| it.id < 128);
        let fixed: Vec<_> = fixed
            .map(|it| String::from_utf8(it.name.clone()).unwrap())
            .collect();
        let mut found = (0, 0);
        let missed = database.rows(&table, |row| {
            found.0 += 1;
            for column in &fixed {
                if let Value::Bytes(bytes) = row.value(column) {
                    found.1 += bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>();
                }
            }
            true
        });
        assert_eq!((found, missed), ((rows, sum), Missed::default()), "{name}");
    }
}

proptest! {
    #[test]
    fn any_change_is_read(changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..40)) {
        let mut bytes = written(&SMALL);
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let read = reader(&bytes);
        if let Some(database) = Database::open(&read)
            && let Some(table) = database.table("Things") {
                database.rows(&table, |row| {
                    row.value("Number");
                    row.value("Name");
                    true
                });
            }
    }

    #[test]
    fn any_row_is_read(bytes in vec(any::<u8>(), 0..200), is_large: bool, id in 0..300_u32) {
        if let Some(record) = Record::new(&bytes, is_large) {
            record.value(id, 3, 4);
        }
    }
}
