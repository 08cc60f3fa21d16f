use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::bail;

use super::*;

const THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// Some octets, other ones for each file; more than a piece for some.
fn output(number: usize) -> Vec<u8> {
    format!("file {number}\n").repeat(number * 977 % 20_000).into_bytes()
}

#[test]
fn output_and_ends_come_in_the_files_order() {
    const FILES: usize = 200;
    let mut out = Vec::new();
    let mut ended = Vec::new();
    let work = |number: usize, out: &mut Output<'_, usize>| {
        // In two writes of other sizes than the pieces.
        let octets = output(number);
        let (first, second) = octets.split_at(octets.len() / 3);
        out.write_all(first).unwrap();
        out.write_all(second).unwrap();
        number
    };
    for_each(FILES, THREADS, work, &mut out, |number, result| {
        ended.push((number, result));
        Ok(())
    })
    .unwrap();
    assert_eq!(ended, (0..FILES).map(|number| (number, Some(number))).collect::<Vec<_>>());
    assert!(out == (0..FILES).flat_map(output).collect::<Vec<u8>>());
}

#[test]
fn a_panic_ends_its_file_only() {
    let mut out = Vec::new();
    let mut ended = Vec::new();
    let work = |number: usize, out: &mut Output<'_, ()>| {
        out.write_all(b".").unwrap();
        out.flush().unwrap();
        assert!(number.is_multiple_of(2), "a panic that the test asks for");
    };
    for_each(20, THREADS, work, &mut out, |_, result| {
        ended.push(result.is_some());
        Ok(())
    })
    .unwrap();
    assert_eq!(ended, (0..20).map(|number| number % 2 == 0).collect::<Vec<_>>());
    assert_eq!(out, [b'.'; 20]);
}

#[test]
fn an_error_stops_the_threads_and_nothing_is_written_behind_it() {
    let begun = AtomicUsize::new(0);
    let mut out = Vec::new();
    let work = |number: usize, out: &mut Output<'_, ()>| {
        begun.fetch_add(1, Ordering::Relaxed);
        // Endless output behind the error ends when nobody reads it.
        while number > 3 && out.write_all(&[b'x'; 1000]).is_ok() {}
    };
    let result = for_each(1000, THREADS, work, &mut out, |number, _| {
        if number == 3 {
            bail!("file 3");
        }
        Ok(())
    });
    assert_eq!(result.unwrap_err().to_string(), "file 3");
    assert!(out.is_empty());
    assert!(begun.into_inner() <= 4 + THREADS.get() * FILES_PER_THREAD_MAX);
}

#[test]
fn queued_output_is_bounded() {
    let ordered = Ordered::<()>::new(3, 3);
    assert_eq!([ordered.begin(), ordered.begin()], [Some(0), Some(1)]);
    let pieces = QUEUED_OCTETS_MAX / PIECE_OCTETS;
    for _ in 0..pieces {
        assert!(ordered.push(1, vec![0; PIECE_OCTETS]));
    }
    std::thread::scope(|scope| {
        let behind = scope.spawn(|| ordered.push(1, vec![1; PIECE_OCTETS]));
        // The file whose turn it is may go on all the same.
        for _ in 0..HEAD_PIECES_MAX {
            assert!(ordered.push(0, vec![0; PIECE_OCTETS]));
        }
        ordered.end(0, Next::End(Some(())));
        let mut taken = 0;
        let queued = || ordered.lock().queued_octets;
        while taken <= HEAD_PIECES_MAX {
            assert!(queued() <= QUEUED_OCTETS_MAX + HEAD_PIECES_MAX * PIECE_OCTETS);
            assert!(ordered.take().is_some());
            taken += 1;
        }
        // Now there is room, or else it waits until nobody reads.
        assert!(matches!(ordered.take(), Some((1, Next::Piece(_)))));
        assert!(behind.join().unwrap());
        ordered.cancel();
        assert!(!ordered.push(1, Vec::new()));
    });
}
