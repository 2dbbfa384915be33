/** The slash commands one may use. */
import { COMMANDS, type Me, type SlashCommand } from "../realtime/events";

export const commandsFor = (you: Me | null): SlashCommand[] => COMMANDS.filter((command) => you?.capabilities.includes(command.capability));
