-- A row is a figure that a standard counts.
-- Must hold: an id named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('standard_measures', 'standard_id') }}
