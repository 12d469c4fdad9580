-- A row is a standard, the bureau's own ones included.
-- Must hold: an id named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('standards', 'standard_id') }}
