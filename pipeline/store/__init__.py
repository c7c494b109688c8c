"""Results of single cases on disk, found again by the content that they were made from."""
