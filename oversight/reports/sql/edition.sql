-- One row: the edition that the report is made from.
-- Must hold: one row.
select * from edition
