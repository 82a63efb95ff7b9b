//! Tests of the reader of files.

use std::fmt::Write;

use super::*;
use crate::import::file::DraftFields;

/// Reads all rows of a file that comes in pieces of `size` bytes.
fn rows_of(format: FileFormat, text: &str, size: usize) -> Result<Vec<FileRow>, FileError> {
    let mut reader = FileReader::new(format);
    let mut rows = Vec::new();
    for piece in text.as_bytes().chunks(size.max(1)) {
        reader.push(piece)?;
        while let Some(row) = reader.next_row()? {
            rows.push(row);
        }
    }
    reader.finish()?;
    while let Some(row) = reader.next_row()? {
        rows.push(row);
    }
    Ok(rows)
}

/// Returns the line of each row, with its draft if it can be read.
fn drafts(text: &str) -> Vec<(usize, Option<Draft>)> {
    let rows =
        rows_of(FileFormat::Csv, text, 5).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    rows.into_iter().map(|row| (row.line, row.draft.ok())).collect()
}

/// Returns the line of each row, with what is said about it.
fn messages(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut reader = FileReader::new(FileFormat::Csv);
    reader.push(text.as_bytes()).unwrap();
    reader.finish().unwrap();
    let mut said = Vec::new();
    while let Some(row) = reader.next_row().unwrap() {
        let mistakes = row.draft.err().map(|unread| unread.mistakes).unwrap_or_default();
        let of = |mistake: &RowMistake| {
            format!("{}: {}", reader.spelling(&mistake.field), mistake.message)
        };
        said.push((row.line, mistakes.iter().map(of).collect()));
    }
    said
}

#[test]
fn files_of_many_programs_say_the_same() {
    let expected = drafts("email,role,division\nanna@example.com,staff,sales\n");
    assert!(expected[0].1.is_some());
    for text in [
        "email;role;division\r\nanna@example.com;staff;sales\r\n",
        "email\trole\tdivision\nanna@example.com\tstaff\tsales",
        "E-Mail,ROLE,Department\nanna@example.com,staff,sales\n",
        " email , role , division \n anna@example.com ,\u{a0}staff\u{a0},\u{2003}sales\n",
        "\"email\",\"role\",\"division\"\n\"anna@example.com\",\"staff\",\"sales\"\n",
        "email,role,division,\nanna@example.com,staff,sales,\n",
        "email;role;division;;;\nanna@example.com;staff;sales;;;\n;;;;;\n;;\n",
        "email,role,division\nanna@example.com,staff,sales\n,,,\n\n , , \n",
        "division,email,role\rsales,anna@example.com,staff\r",
        "email,role,division,max_uses\nanna@example.com,staff,sales,\n",
    ] {
        assert_eq!(drafts(text), expected, "{text:?}");
    }
    for text in [
        "sep=;\nemail;role;division\nanna@example.com;staff;sales\n",
        "\nemail,role,division\nanna@example.com,staff,sales\n",
        "email,role,division\n\nanna@example.com,staff,sales\n",
        "email,role,division\n,,\nanna@example.com,staff,sales\n",
        "\"email\",\"role\",\"division\n\"\nanna@example.com,staff,sales\n",
    ] {
        assert_eq!(drafts(text), [(3, expected[0].1.clone())], "{text:?}");
    }
}

#[test]
fn messages_name_the_line_and_the_column_as_they_stand_in_the_file() {
    let text = "E-Mail;Department;Uses\n\nanna@example.com;sales;\n;;\nben;sales;x\n\
                c@example.com;sales\nd@example.com;sales;1;2\ne@example.com;\"a\"b;1\n";
    let expected = [
        (3, vec![]),
        (5, vec!["Uses: must be a whole number", "E-Mail: must be"]),
        (6, vec![": has 2 cells where there are 3 columns"]),
        (7, vec![": has 4 cells where there are 3 columns"]),
        (8, vec![": there is text behind a closing quotation mark"]),
    ];
    let said = messages(text);
    assert_eq!(said.len(), expected.len());
    for ((line, said), (expected_line, expected)) in said.iter().zip(&expected) {
        assert_eq!((line, said.len()), (expected_line, expected.len()), "{said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.starts_with(expected), "{said}");
        }
    }
}

#[test]
fn a_header_that_is_none_is_refused_by_name() {
    for (text, columns) in [
        ("rolle\na", vec!["rolle"]),
        ("role,role\na,b", vec!["role"]),
        ("E-Mail;mail;role\na;b;c", vec!["mail"]),
        ("email,,role\na,b,c", vec![""]),
        ("email,name,team\na,b,c", vec!["name", "team"]),
        ("anna@example.com,staff\n", vec!["anna@example.com", "staff"]),
    ] {
        let Err(FileError::Columns(mistakes)) = rows_of(FileFormat::Csv, text, 64) else {
            panic!("{text}");
        };
        let found: Vec<_> = mistakes.iter().map(|mistake| mistake.column.as_str()).collect();
        assert_eq!(found, columns, "{text}");
        assert!(mistakes.iter().all(|mistake| mistake.message.starts_with("line 1")), "{text}");
    }
}

#[test]
fn mistakes_in_a_header_are_few_and_short() {
    let names: Vec<_> = (0..100).map(|n| format!("{n}{}", "x".repeat(200))).collect();
    let refused = rows_of(FileFormat::Csv, &names.join(";"), 64).unwrap_err();
    let FileError::Columns(mistakes) = refused else { panic!("{refused:?}") };
    assert_eq!(mistakes.len(), DraftFields::NAMES.len());
    assert!(mistakes.iter().all(|mistake| mistake.column.len() == 64), "{mistakes:?}");
}

#[test]
fn row_of_100_cells_is_read_and_no_longer_one() {
    let text = |cells: usize| format!("role\nstaff{}\n", ",".repeat(cells - 1));
    assert!(rows_of(FileFormat::Csv, &text(100), 64).unwrap()[0].draft.is_ok());
    let refused = rows_of(FileFormat::Csv, &text(101), 64).unwrap_err().to_string();
    assert!(refused.contains("line 2 has more than 100 columns"), "{refused}");
}

#[test]
fn file_without_rows_has_none() {
    for text in ["", "\n\n", "email\n", "email\n,,,\n", " ,;\t\r\n"] {
        assert!(rows_of(FileFormat::Csv, text, 64).unwrap().is_empty(), "{text:?}");
        if !text.starts_with("email") && !text.contains(',') {
            assert!(rows_of(FileFormat::JsonLines, text, 64).unwrap().is_empty(), "{text:?}");
        }
    }
}

#[test]
fn rows_are_the_same_in_pieces_of_any_size() {
    let mut text = String::from("\u{feff}\r\n ;;\r\nE-Mail;Role;Division;Metadata\r\n");
    for n in 0..2_000 {
        write!(text, "p{n}@example.com;staff;\"s\r\n{n}\";\"{{\"\"n\"\": {n}}}\"\r\n").unwrap();
        if n % 7 == 0 {
            text.push_str(";;;\r\n");
        }
    }
    let whole = rows_of(FileFormat::Csv, &text, text.len()).unwrap();
    assert_eq!(whole.len(), 2_000);
    assert_eq!((whole[0].line, whole[1].line), (4, 7));
    for size in [1, 3, 1_000, 40_000] {
        assert_eq!(rows_of(FileFormat::Csv, &text, size).unwrap(), whole, "{size}");
    }
}

#[test]
fn header_behind_many_records_of_empty_cells_is_read_whole() {
    let text = format!("{}email;role\na@example.com;staff\n", "\"\";\"\"\n".repeat(20_000));
    let whole = rows_of(FileFormat::Csv, &text, text.len()).unwrap();
    assert_eq!((whole.len(), whole[0].line, whole[0].draft.is_ok()), (1, 20_002, true));
    // The last piece begins inside the header.
    for size in [7, 1_000, 119_000, text.len() - 28] {
        assert_eq!(rows_of(FileFormat::Csv, &text, size).as_ref(), Ok(&whole), "{size}");
    }
}

#[test]
fn line_break_that_comes_in_two_pieces_counts_once() {
    let blank = format!("{}role\r\nstaff\r\n", "\r\n".repeat(200));
    for size in [1, 257, blank.len()] {
        let rows = rows_of(FileFormat::Csv, &blank, size).unwrap();
        let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [202], "{size}");
    }
    // The line break behind the longest line.
    let line = |length: usize| format!("{{}}{}", " ".repeat(length - 2));
    let longest = format!("{}\r\n{{}}\r\n", line(MAX_LINE));
    for size in [1_000, MAX_LINE + 1, longest.len()] {
        let rows = rows_of(FileFormat::JsonLines, &longest, size).unwrap();
        let lines: Vec<_> = rows.iter().map(|row| row.line).collect();
        assert_eq!(lines, [1, 2], "{size}");
    }
    let refused = rows_of(FileFormat::JsonLines, &line(MAX_LINE + 1), 1_000).unwrap_err();
    assert!(refused.to_string().contains("line 1 is longer than"), "{refused}");
}

#[test]
fn json_lines_are_read_each_on_its_own() {
    let text = "{\"email\": \"anna@example.com\"}\r\n\n {} \r{\"email\": 1}\n5\n{\"who\": 1}\n{oh\n{}{}\n\
                {\"email\": \"a\", \"max_uses\": 0}";
    for size in [1, 10, text.len()] {
        let rows = rows_of(FileFormat::JsonLines, text, size).unwrap();
        let said: Vec<_> = rows
            .iter()
            .map(|row| {
                let fields = row.draft.as_ref().err().map(|unread| {
                    unread.mistakes.iter().map(|mistake| mistake.field.as_str()).collect()
                });
                (row.line, fields)
            })
            .collect();
        let expected: [(usize, Option<Vec<&str>>); 8] = [
            (1, None),
            (3, None),
            (4, Some(vec!["email"])),
            (5, Some(vec![""])),
            (6, Some(vec!["who"])),
            (7, Some(vec![""])),
            (8, Some(vec![""])),
            (9, Some(vec!["email", "max_uses"])),
        ];
        assert_eq!(said, expected);
    }
    let long = format!("{{\"{}\": 1}}\n", "x".repeat(100_000));
    let rows = rows_of(FileFormat::JsonLines, &long, 4_096).unwrap();
    let mistake = &rows[0].draft.as_ref().unwrap_err().mistakes[0];
    assert!(mistake.field.len() + mistake.message.len() < 1_000);
}

/// Pushes a piece again and again after `begin`, as a file of up to a gigabyte would, until the
/// reader refuses it. Returns the error and the number of pieces.
fn refused(format: FileFormat, begin: &str, piece: &[u8]) -> (String, usize) {
    let mut reader = FileReader::new(format);
    reader.push(begin.as_bytes()).unwrap();
    for n in 1..1_000_000_000 / piece.len() {
        let pushed = reader.push(piece);
        let read = pushed.and_then(|()| {
            loop {
                match reader.next_row() {
                    Ok(Some(_)) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error),
                }
            }
        });
        // The limit of the memory: twice the longest row and a piece, as a vector grows.
        assert!(reader.text.capacity() < 4 * (MAX_LINE + piece.len()), "after {n} pieces");
        if let Err(error) = read {
            return (error.to_string(), n);
        }
    }
    panic!("nothing was refused");
}

#[test]
fn hostile_files_are_refused_with_their_line_after_a_few_pieces() {
    let (long, foreign) = (vec![b'x'; 65_536], vec![0xfc; 65_536]);
    let (wide, nul) = (b";,\t".repeat(20_000), b"aff\0".repeat(100));
    let unread = format!("role\n{}", "staff\n".repeat(100));
    let (csv, lines) = (FileFormat::Csv, FileFormat::JsonLines);
    for (format, begin, piece, says) in [
        (csv, "", &long[..], "line 1 is longer than"),
        (csv, "role\nstaff\n", &long, "line 3 is longer than"),
        (csv, "role\nstaff\n\"", &long, "line 3: a cell is longer than"),
        (csv, "role\n", &wide, "line 2 has more than 100 columns"),
        (csv, "email,role\n", &wide, "line 2 has more than 100 columns"),
        (csv, "role\nstaff\n", &foreign, ", line 3); save it as UTF-8"),
        (csv, "role\nst", &nul, "line 2 contains a NUL character"),
        (csv, &unread, &nul, "line 102 contains a NUL character"),
        (lines, "{}\n\n", &long, "line 3 is longer than"),
        (lines, "{}\n", &foreign, ", line 2); save it as UTF-8"),
    ] {
        let (said, pieces) = refused(format, begin, piece);
        assert!(said.contains(says), "{said} is not {says}");
        assert!(pieces <= 3, "{says}: after {pieces} pieces");
    }
}

#[test]
fn endless_blank_lines_and_rows_take_no_memory() {
    for (format, begin, piece, rows) in [
        (FileFormat::Csv, "", " \r\n,,\n\t;\r".repeat(8_000), 0),
        (FileFormat::Csv, "role\n", ",\r\n".repeat(20_000), 0),
        (FileFormat::Csv, "role\n", "staff\n".repeat(10_000), 1_000_000),
        (FileFormat::JsonLines, "", " \r\n".repeat(20_000), 0),
        (FileFormat::JsonLines, "", "{}\n".repeat(20_000), 2_000_000),
    ] {
        let mut reader = FileReader::new(format);
        reader.push(begin.as_bytes()).unwrap();
        let mut found = 0;
        for _ in 0..100 {
            reader.push(piece.as_bytes()).unwrap();
            while reader.next_row().unwrap().is_some() {
                found += 1;
            }
            assert!(reader.text.capacity() < 4 * (MAX_LINE + piece.len()));
        }
        reader.finish().unwrap();
        while reader.next_row().unwrap().is_some() {
            found += 1;
        }
        assert_eq!(found, rows);
    }
}
