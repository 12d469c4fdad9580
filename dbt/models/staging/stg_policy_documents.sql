-- A row is a policy document, the bureau's own ones included.
-- Must hold: an id named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('policy_documents', 'document_id') }}
