"""The commands for people: `piio ls | get | set | watch | config | history | doctor`."""
