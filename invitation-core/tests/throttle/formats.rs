//! Short formats need a throttle.

use invitation_core::{CodeFormat, Invitations, MemoryStore, throttle::GuessThrottle};

#[test]
fn format_below_80_bits_is_an_error_without_a_throttle() {
    for symbols in CodeFormat::MIN_SYMBOLS..=CodeFormat::MAX_SYMBOLS {
        let format = CodeFormat::new(symbols).unwrap();
        let bits = format.bits();
        let without = Invitations::new(MemoryStore::new()).with_code_format(format.clone());
        match without {
            Ok(_) => assert!(bits >= 80, "{bits}"),
            Err(error) => {
                assert!(bits < 80, "{bits}");
                assert_eq!(error.field(), "code_format");
                assert!(error.message().contains("set a throttle first"), "{error}");
            }
        }
        let throttled =
            Invitations::new(MemoryStore::new()).with_throttle(GuessThrottle::in_process());
        assert_eq!(throttled.with_code_format(format).unwrap().code_format().bits(), bits);
    }
}
