"""The deep arm: crops, backbones, training, deep features that do not cheat, and where a network looks."""
