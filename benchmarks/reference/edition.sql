insert into main.edition by name
select strftime(localtimestamp, '%Y%m%d-%H%M%S') as edition_id, localtimestamp as built_at, '' as input_fingerprint,
    '' as standards_fingerprint, '' as code_version;
