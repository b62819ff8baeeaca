"""The command that teaches a shell to complete ours."""

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

SHELLS = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command()
@click.argument("shell", type=click.Choice(tuple(SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what SHELL needs to complete commands.

    For good: `ddbmig completion bash >> ~/.bashrc`, and open a new shell.
    """
    completer = SHELLS[shell](context.find_root().command, {}, "ddbmig", "_DDBMIG_COMPLETE")
    click.echo(completer.source())
