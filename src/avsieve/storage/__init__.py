"""Files that the stages write and read: where they lie, ids, tables, tars with an index, status, reasons."""
