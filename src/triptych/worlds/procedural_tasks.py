"""Which tasks of reasoning-gym 0.1.25 the world `procedural` has, at which settings of their curricula.

A setting is a level (from 0) for all dials of the task, or for the one that is named, the others at 0. Levels 0 to 3 were
tried, 40 items a setting, on the tasks that have a curriculum, a task's harder settings only until four had failed.
Long searches, large boards and large questions were left out at once (knight_swap, sokoban, futoshiki, zebra_puzzles,
rearc, arc_agi, tsumego, rush_hour, sudoku, rubiks_cube, self_reference, quantum_lock, mahjong_puzzle, path_star,
circuit_logic, game_of_life, game_of_life_halting, group_anagrams, figlet_font, emoji_mystery, advanced_geometry), and a
setting is left out where

- an item takes more than 7 ms to make or to score on average, or 2,600 characters to ask, or 600 to answer;
- 200 items have fewer than 100 different questions, or one that another setting of the task had, too;
- the package fails on the setting (word_ladder, high levels of caesar_cipher and letter_jumble), an answer is no text or
  is not right by its own verifier (boxnet, graph_color, propositional_logic, string_manipulation with more rules);
- the verifier raises on a nonsense answer (prime_factorization) or calls one right (complex_arithmetic "nan",
  time_intervals "1 2 3", coin_flip "0");
- the verifier evaluates the answer as code, which an answer that a model wrote must never be (countdown, puzzle24,
  binary_matrix, spiral_matrix, string_insertion, n_queens, polynomial_multiplication, simple_integration,
  intermediate_integration);
- something is printed, warned of, drawn from a global generator or follows Python's hash seed (bf, codeio, arc_agi,
  pool_matrix, isomorphic_strings, ransom_note).
"""

from __future__ import annotations

import re
from typing import Final

_TABLE: Final = """
        ab: 0 1 2 3
        aiw: 0
        arc_1d: 0 1 2
        base_conversion: 0 1 1-base 1-value 2 2-base 2-value 3 3-base
        basic_arithmetic: 0 1 1-num_terms 2 2-num_terms 2-num_digits 3 3-num_terms 3-num_digits
        binary_alternation: 0 1 2
        bitwise_arithmetic: 0 1 2 3
        caesar_cipher: 0
        calendar_arithmetic: 0 2
        chain_sum: 0 1 1-num_terms 1-num_digits 2 2-num_terms 2-num_digits 3 3-num_terms 3-num_digits
        color_cube_rotation: 0 1
        count_bits: 0 1 2 3
        count_primes: 0 1 2 3
        course_schedule: 0 1 1-num_courses 1-num_prerequisites 1-cycle_length 2 2-num_courses
            2-num_prerequisites 2-cycle_length
        cryptarithm: 0 1 2
        decimal_arithmetic: 0 1 1-precision 1-num_terms 2 2-precision 2-num_terms 3 3-precision 3-num_terms
        decimal_chain_sum: 0 1 1-num_terms 1-num_digits 1-decimal_places 2 2-num_terms 2-num_digits
            2-decimal_places 3 3-num_terms 3-num_digits 3-decimal_places
        dice: 0 1 1-num_dice 1-max_dice_size 2 2-num_dice 2-max_dice_size 3 3-num_dice 3-max_dice_size
        family_relationships: 0 1 2 3
        fraction_simplification: 0 1 1-value 1-factor 2 2-value 2-factor
        gcd: 0 1 1-num_terms 1-value 2 2-num_terms 2-value 3 3-num_terms
        kakurasu: 0 1
        knights_knaves: 0 1 1-n_people 1-depth_constraint 1-width_constraint 2 2-n_people
        largest_island: 0 1 1-rows 1-cols 1-num_islands 2-rows 2-cols
        lcm: 0 1 1-numbers 1-value 2 2-numbers 2-value 3 3-numbers
        letter_counting: 0 1 2 3
        letter_jumble: 0 1 1-word_len 1-words 1-corruption_level 2-word_len 2-words 2-corruption_level
        manipulate_matrix: 0 1-rows 1-cols 1-num_transforms
        maze: 0 1-dist
        mini_sudoku: 0 1 2 3
        modulo_grid: 0 1-max_holes
        number_filtering: 0 1-decimals 1-min_value 1-max_value
        number_format: 0 1 1-num_candidates 1-n 1-max_delta 2-n 2-max_delta 3-max_delta
        number_sequence: 0
        palindrome_generation: 0 1 2
        palindrome_partitioning: 0
        power_function: 0 1 2 3
        rotate_matrix: 0 1-num_rotations
        rotten_oranges: 0 1
        sentence_reordering: 0 1 2
        shortest_path: 0 1 1-rows 1-cols 2-rows 2-cols
        simple_geometry: 0 1 2
        spell_backward: 0 1 2 3
        string_manipulation: 0 1 1-string_length 1-num_rules 2 2-string_length
        string_splitting: 0
        string_synthesis: 0 1
        survo: 0 1 1-board_size 1-empty 2 2-board_size 3 3-board_size
        syllogism: 0 1 2 2-allow_some 3 3-allow_some_not
        word_sequence_reversal: 0 1
        word_sorting: 0 1 1-num_words 1-word_length 2-num_words 2-word_length
"""

TASKS: Final[dict[str, tuple[str, ...]]] = {
    task: tuple(settings.split()) for task, settings in re.findall(r"(\w+):([^:]*)(?=\s\w+:|$)", _TABLE)
}
"""Task to its settings."""
