"""The demo cohort: synthetic, with a known answer, not evidence."""
