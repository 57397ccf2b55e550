"""Networks that a user might bring."""

from __future__ import annotations

import torch


class Plain(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(3, 4, 3, stride=8)
        self.second = torch.nn.Conv2d(4, 6, 3, stride=4)

    def forward(self, x):
        return self.second(self.first(x).relu()).mean((2, 3))


class Named(Plain):
    stages = ("first",)
    last_conv = "first"


class Map(Plain):
    def forward(self, x):
        return self.first(x)


class Grey(Plain):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.Conv2d(1, 4, 3, stride=8)


def number():
    return 7
