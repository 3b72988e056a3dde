"""How does an operator give a cluster its topics, users and rights? The command is `dtg provision`."""

from collections.abc import Iterator
from pathlib import Path

from deploy.kafka.errors import BrokerError
from deploy.kafka.rights import give_rights, give_users, make_credentials, rights_of_users
from deploy.kafka.topics import cautions
from deploy.kafka.topics import provision as make_topics
from schemas.rights import PROVISION, Rights, table
from services.cli.home import CLOCK
from services.cli.screen import Table
from services.cli.settings import UpSettings

STEPS = 4
"""How many steps `give` makes: credentials, topics, users, rights."""


def give(settings: UpSettings, *, sandbox: bool, users: bool) -> Iterator[str]:
    """Makes the credentials, topics, users and rights of a cluster, and yields a sentence about each step. A second
    call keeps what is right already and corrects the rest. `sandbox`: also the credentials of simulated people;
    `users`: give the cluster the passwords of its users.

    Raises BrokerError if the cluster does not answer or refuses, NoAccess if a credential cannot be used.
    """
    # `here`: whether the cluster is the embedded broker of a demo, which simulated people use
    here = settings.kafka is None and (Path(settings.home) / CLOCK).exists()
    access, folder, rights = settings.access(PROVISION), settings.credentials(), table(sandbox=sandbox or here)
    if not access.signs_in:
        raise BrokerError(
            "Rights need a cluster that asks who somebody is: set DTG_KAFKA_SECURITY to SASL_SSL (SASL_PLAINTEXT on a trusted "
            "network). 集群未启用登录，无法授权。 See docs/kafka.md"
        )
    # if the administrator's credential cannot be used, this raises before anything is made
    access.credential()
    made = make_credentials(folder, rights)
    yield (
        f"{len(made)} credentials made in {folder}. 已生成凭据。"
        if made
        else f"The credentials are in {folder}. 凭据已存在。"
    )
    topics = make_topics(access, settings.partitions, settings.replication)
    yield f"{len(topics)} topics made. 已创建主题。" if topics else "The topics are there. 主题已存在。"
    if users:
        give_users(access, folder, rights)
        yield f"{len(rights)} users have their passwords. 已设置用户密码。"
    added, taken = give_rights(access, rights_of_users(folder, rights))
    yield (
        f"{added} rights given, {taken} taken away. 已更新权限。"
        if added or taken
        else "The rights are there. 权限已存在。"
    )
    yield from cautions(access)


def rights_table(*, sandbox: bool) -> Table:
    """Returns a table of the rights at the cluster, with a row for each credential."""
    shown = Table("credential 凭据", "reads 读", "writes 写", "groups 消费组", "transactions 事务")
    for name, held in table(sandbox=sandbox).items():
        shown.add_row(name, *_cells(held))
    return shown


def _cells(held: Rights) -> tuple[list[str], list[str], list[str], list[str]]:
    groups = [*sorted(held.joins), *[f"{held.groups}*"] * bool(held.groups)]
    groups += [f"{name} (looks it up 仅查询)" for name in sorted(held.looks_up)]
    return sorted(held.reads), sorted(held.writes), groups, [f"{held.transactions}*"] * bool(held.transactions)
