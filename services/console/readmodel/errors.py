"""Which states of the database stop the console from running?"""


class NoDatabase(Exception):
    """The database cannot be opened, does not answer, or refuses to work; the text says what to do. `hint`: what to do in this case, in
    place of the usual advice."""

    def __init__(self, where: str, error: BaseException | str, hint: str = "") -> None:
        why = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        super().__init__(
            f"The read model cannot be opened ({where}): {why}. 查询库无法打开。 "
            + (hint or "Check DTG_HOME and DTG_DATABASE_URL, and that you are the user under whom `dtg up` runs")
        )


class NewerDatabase(Exception):
    """The tables were made by a newer version of the program; the text says what to do."""

    def __init__(self, database: str, revision: str) -> None:
        super().__init__(
            f"The database {database} was written by a newer version of this program (revision {revision}): run that "
            "version, or name an empty database in DTG_DATABASE_URL, which is then filled from the topics. "
            "数据库由更新版本的程序写入：请运行该版本，或用 DTG_DATABASE_URL 指定一个空库，内容将从主题重建。"
        )
