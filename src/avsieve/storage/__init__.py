"""Files that the stages write and read: ids, tables, shards, status, reasons."""
