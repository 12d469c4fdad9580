# How `make notebooks` starts JupyterLab: on this computer only, and without a request to the internet.
import os

c = get_config()  # noqa: F821
c.ServerApp.ip = "127.0.0.1"
# No news, no search for updates, no list of extensions: all three ask servers outside.
c.LabApp.news_url = None
c.LabApp.check_for_updates_class = "jupyterlab.NeverCheckForUpdate"
c.LabApp.extension_manager = "readonly"
# Only what is built in: an installed package that brings an extension would have it built, with downloads.
c.LabApp.core_mode = True
# On a server the only user is often root; the lab still listens to this computer alone and asks for its token.
c.ServerApp.allow_root = os.geteuid() == 0
# What it says that a user need not read.
c.Application.log_level = "WARN"
