-- A row is a figure × source with its rank: where sources differ, the lowest rank counts; `*` is any other figure.
-- Must hold: a figure named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('source_precedence', 'figure') }}
