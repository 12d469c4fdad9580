-- A row is a tier of a standard.
-- Must hold: an id named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('standard_tiers', 'standard_id') }}
