-- A row is a source that reports come from: the townships themselves, the treasury, the police.
-- Must hold: a code named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('report_sources', 'source') }}
