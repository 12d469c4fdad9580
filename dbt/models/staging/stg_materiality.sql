-- A row is a size below which a shortfall in that unit weighs no more than a severity.
-- Must hold: a unit named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('materiality', 'unit') }}
