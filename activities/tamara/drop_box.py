"""Which way leads to the partner's folder: SFTP or FTPS, as the settings say (contracts: tamara 4.1 to 4.3)."""

from __future__ import annotations

from functools import lru_cache

from activities.tamara.folder import DropBox
from activities.tamara.ftps import FtpsBox
from activities.tamara.settings import TamaraSettings
from activities.tamara.sftp import SftpBox
from activities.tamara.transport import FtpsSettings, SftpSettings


def drop_box_of(settings: TamaraSettings) -> DropBox:
    """The drop box of an agency; the same object for the same account, so that its door counts for everyone."""
    return _opened(settings.transport)


@lru_cache(maxsize=256)
def _opened(transport: SftpSettings | FtpsSettings) -> DropBox:
    return SftpBox(transport) if isinstance(transport, SftpSettings) else FtpsBox(transport)
