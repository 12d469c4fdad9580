-- A row is a fund: its names, and the matter by which standards are compared with it.
-- Must hold: a code named in the data folder's own standards/ comes from there alone.
{{ merge_overlay('funds', 'fund_code') }}
