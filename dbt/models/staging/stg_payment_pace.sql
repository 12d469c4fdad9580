-- A row is a limit by which the pace of payments within the year is told.
-- Must hold: a limit named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('payment_pace', 'limit_name') }}
