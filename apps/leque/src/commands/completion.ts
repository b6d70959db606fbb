import { Argument, Command } from 'commander';
import { EXIT } from '../api/exit.ts';
import { print } from '../api/print.ts';
import { runCommand } from '../api/run-command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const EXAMPLES = `
Examples:
  source <(leque completion bash)     in ~/.bashrc
  source <(leque completion zsh)      in ~/.zshrc, after compinit
  leque completion fish > ~/.config/fish/completions/leque.fish`;

/** Prints a completion script that is generated from the commands of the program. */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('print a script for bash, zsh or fish that completes commands and options')
    .addArgument(new Argument('<shell>', 'shell to complete for').choices([...SHELLS]))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) =>
      runCommand(() => {
        print(SCRIPTS[shell](wordsOf(program)));
        return EXIT.done;
      }),
    );
}

/** Description and possible next words of each command, by its name. */
type Words = ReadonlyMap<string, { readonly about: string; readonly words: readonly string[] }>;

function wordsOf(program: Command): Words {
  return new Map(
    program.commands.map((command) => [
      command.name(),
      {
        about: command.description(),
        words: [
          ...command.options.flatMap(({ long }) => (long == null ? [] : [long])),
          ...command.options.flatMap(({ argChoices = [] }) => argChoices),
          ...command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
          '--help',
        ],
      },
    ]),
  );
}

const SCRIPTS: Readonly<Record<Shell, (words: Words) => string>> = {
  bash: (words) => `_leque() {
  local current=\${COMP_WORDS[COMP_CWORD]} words
  if [ "$COMP_CWORD" -eq 1 ]; then words='${[...words.keys()].join(' ')}'
  else
    case \${COMP_WORDS[1]} in
${[...words].map(([name, { words: each }]) => `      ${name}) words='${each.join(' ')}' ;;`).join('\n')}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _leque leque`,

  zsh: (words) => `_leque() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${[...words].map(([name, { about }]) => `      '${name}:${quoted(about)}'`).join('\n')}
    )
    _describe command commands
    return
  fi
  case $words[2] in
${[...words].map(([name, { words: each }]) => `    ${name}) compadd -- ${each.join(' ')} ;;`).join('\n')}
  esac
  _files
}
compdef _leque leque`,

  fish: (words) =>
    [...words]
      .flatMap(([name, { about, words: each }]) => [
        `complete -c leque -n __fish_use_subcommand -a ${name} -d '${quoted(about)}'`,
        ...each.map((word) =>
          word.startsWith('--')
            ? `complete -c leque -n '__fish_seen_subcommand_from ${name}' -l ${word.slice(2)}`
            : `complete -c leque -n '__fish_seen_subcommand_from ${name}' -a ${word}`,
        ),
      ])
      .join('\n'),
};

function quoted(text: string): string {
  return text.replaceAll("'", "'\\''");
}
