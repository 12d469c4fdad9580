"""Who may see and do what: accounts, roles, scopes, and the record of what was done.

`identity.install` decides before each request who sent it and `identity.current` tells; `scope.Scope` is what they may
see, and `oversight.sandbox.scoped_copy` the one place where an edition is cut to it; `exist.exist` says whether anybody
has to sign in; `record` keeps what was done. Nothing is imported here: a command that needs a scope needs no server.
"""
